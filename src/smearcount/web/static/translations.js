// All sentences of the page, in the language of the browser.

export const EN = {
  skip: "Skip to the photographs",
  addFiles: "Add photographs",
  addFolder: "Add a folder",
  drop: "Drop photographs or folders of blood smears here. They stay on this computer.",
  dropNow: "Release to count",
  progress: "Progress",
  progressText: "{done} of {all} counted",
  cancel: "Cancel",
  resume: "Count the canceled photographs",
  download: "Download",
  countsCsv: "Table of counts (CSV)",
  slidesCsv: "Table by folder, one per slide (CSV)",
  intervalNote: "Small numbers: 95 % interval of the automatic count.",
  cellsCsv: "Table of cells (CSV)",
  cocoJson: "Cells of all photographs (COCO JSON)",
  labelsZip: "Corrected photographs as labels, for training (ZIP)",
  correctionsFile: "List of corrections (JSON lines)",
  annotated: "This photograph with its boxes (PNG)",
  report: "Report (HTML)",
  command: "The command that gives these numbers",
  copy: "Copy",
  copied: "Copied",
  help: "Keys",
  photographs: "Photographs",
  view: "View",
  cards: "Pictures",
  table: "Table",
  viewer: "Photograph",
  back: "All photographs",
  previous: "Previous photograph",
  next: "Next photograph",
  undo: "Undo",
  redo: "Redo",
  zoomOut: "Zoom out",
  zoomIn: "Zoom in",
  fit: "Fit",
  tools: "Tools",
  toolLook: "Look",
  toolArea: "Select an area",
  toolAdd: "Add cells",
  classOfCell: "Class",
  delete: "Delete",
  boxes: "Boxes",
  canvas: "Photograph with boxes around its cells",
  canvasKeys:
    "Drag to pan, wheel or pinch to zoom, click a cell to select it; N and P go from cell to cell.",
  countsAndSettings: "Counts and settings",
  allPhotographs: "All photographs",
  cell: "Cell",
  automatic: "Automatic",
  corrected: "Corrected",
  total: "Total",
  settings: "Settings",
  threshold: "{name}: counted from score",
  edge: "Cells at the border",
  edgeAll: "count all",
  edgeInside: "do not count those touching it",
  edgeTwo: "count those at the top and left only",
  pixelSize: "Pixel size in µm",
  estimated: "from the file, else estimated",
  badPixelSize: "The pixel size is a number from {least} to {most}, in µm.",
  scaleNote: "Red cell: {cell} px. Pixel: {pixel} µm ({source}).",
  source_user: "as you set it",
  source_file: "from the file",
  source_estimated: "estimated from the red cells",
  source_assumed: "assumed",
  reset: "Back to the model’s settings",
  excluded: "{n} not counted at the border (gray, crossed).",
  waiting: "waiting",
  counting: "counting …",
  canceled: "canceled",
  failed: "not counted",
  tooLarge: "The file is larger than {mb} MB; split it into smaller pictures.",
  notUploaded: "The file could not be sent ({reason}).",
  remove: "Remove",
  removeNamed: "Remove {name}",
  openNamed: "Open {name}",
  corrections: "{n} corrections",
  noFolder: "(no folder)",
  offline:
    "smearcount does not answer. Your work is saved: start it again, and this page goes on; settings changed meanwhile are sent then.",
  otherSession:
    "Another session is open at this address now. This page shows the earlier one, and nothing is sent any more.",
  reload: "Show the new session",
  noAnswer: "smearcount does not answer.",
  outdated:
    "This photograph was corrected in another window; those corrections are shown now. Please repeat yours.",
  selected: "{n} cells selected",
  described: "{name}, score {score}, {place} of {n}",
  byHand: "{name}, added by hand, {place} of {n}",
  leftOut: "not counted at the border",
  saved: "Saved. {counts}",
  removeAll: "Remove all",
  reallyRemove:
    "Remove {name}, with what was counted in it? Its corrections come back if you add it again. To keep it, but out of the totals, leave it out instead.",
  reallyRemoveAll:
    "Remove all {n} photographs, with what was counted in them? Their corrections come back if you add them again.",
  keep: "Keep",
  leaveOut: "Leave out of totals",
  takeIn: "Take into totals",
  inTotals: "In totals",
  inTotalsNamed: "{name} is in the totals",
  nCounted: "{n} counted",
  nFlagged: "{n} of them with a warning",
  nFailed: "{n} failed",
  nOpen: "{n} not counted yet",
  nLeftOut: "{n} left out",
  listSeparator: ", ",
  partial: "{n} photographs are not counted yet. Files saved now say so in their names.",
  skipped: "Not added, because such files cannot be read: {files}.",
  settingsOfAll: "Scores and the rule for the border apply to all photographs.",
  pixelSizeOf: "This pixel size is that of",
  thisPhotograph: "this photograph",
  folderNamed: "folder {name}",
  applyTo: "Set for {n} photographs",
  nothingSelected: "Select a cell first.",
  alreadyAdded: "There is an added cell at this very place. Move it, or the view, first.",
  keys: [
    ["N / P", "next, previous cell"],
    ["1 2 3", "class of the selected cells; of the next one while adding cells"],
    ["Delete", "delete the selected cells"],
    ["A", "add a cell in the middle of the view"],
    ["Arrows", "move the selected cells, or the view"],
    ["Shift + arrows", "make the selected cells larger or smaller"],
    ["Ctrl + A, Esc", "select all, none"],
    ["Shift + drag", "select an area"],
    ["Ctrl + Z, Ctrl + Y", "undo, redo"],
    ["+ − 0", "zoom in, out, fit"],
    ["L S D", "tools: look, select an area, add cells"],
    ["B", "boxes on, off"],
    ["Page up, down", "previous, next photograph"],
    ["Space or middle button + drag", "move the view with any tool"],
    ["Esc", "give up the tool, the selection, the photograph"],
  ],
};

/** @type {typeof EN} */
export const JA = {
  skip: "写真へ移動",
  addFiles: "写真を追加",
  addFolder: "フォルダーを追加",
  drop: "血液塗抹標本の写真またはフォルダーをここにドロップしてください。写真はこのコンピューターの外に出ません。",
  dropNow: "離すと計数を始めます",
  progress: "進行状況",
  progressText: "{all} 枚中 {done} 枚を計数しました",
  cancel: "中止",
  resume: "中止した写真を計数する",
  download: "書き出し",
  countsCsv: "計数の表（CSV）",
  slidesCsv: "フォルダー（標本）ごとの表（CSV）",
  intervalNote: "小さい数字：自動計数での真の数の 95 % 範囲。",
  cellsCsv: "細胞の表（CSV）",
  cocoJson: "すべての写真の細胞（COCO JSON）",
  labelsZip: "修正した写真とラベル、学習用（ZIP）",
  correctionsFile: "修正の一覧（JSON Lines）",
  annotated: "枠を描いたこの写真（PNG）",
  report: "報告書（HTML）",
  command: "同じ数値を得るコマンド",
  copy: "コピー",
  copied: "コピーしました",
  help: "キー操作",
  photographs: "写真",
  view: "表示",
  cards: "画像",
  table: "表",
  viewer: "写真",
  back: "すべての写真",
  previous: "前の写真",
  next: "次の写真",
  undo: "元に戻す",
  redo: "やり直す",
  zoomOut: "縮小",
  zoomIn: "拡大",
  fit: "全体",
  tools: "道具",
  toolLook: "見る",
  toolArea: "範囲を選択",
  toolAdd: "細胞を追加",
  classOfCell: "種類",
  delete: "削除",
  boxes: "枠",
  canvas: "細胞に枠を付けた写真",
  canvasKeys:
    "ドラッグで移動、ホイールやピンチで拡大縮小、クリックで細胞を選択。N と P で細胞を順に選びます。",
  countsAndSettings: "計数と設定",
  allPhotographs: "すべての写真",
  cell: "細胞",
  automatic: "自動",
  corrected: "修正後",
  total: "合計",
  settings: "設定",
  threshold: "{name}：計数するスコアの下限",
  edge: "画像の縁にある細胞",
  edgeAll: "すべて数える",
  edgeInside: "縁に触れるものは数えない",
  edgeTwo: "上と左は数え、下と右は数えない",
  pixelSize: "画素の大きさ（µm）",
  estimated: "ファイルの値、なければ推定",
  badPixelSize: "画素の大きさは {least} から {most} までの数（µm）です。",
  scaleNote: "赤血球：{cell} px、1 画素：{pixel} µm（{source}）",
  source_user: "指定値",
  source_file: "ファイルの値",
  source_estimated: "赤血球から推定",
  source_assumed: "仮定",
  reset: "モデルの設定に戻す",
  excluded: "縁にある {n} 個は数えていません（灰色の斜線）。",
  waiting: "待機中",
  counting: "計数中…",
  canceled: "中止しました",
  failed: "計数できません",
  tooLarge: "ファイルが {mb} MB を超えています。小さく分けてください。",
  notUploaded: "送信できませんでした（{reason}）。",
  remove: "取り除く",
  removeNamed: "{name} を取り除く",
  openNamed: "{name} を開く",
  corrections: "修正 {n} 件",
  noFolder: "（フォルダーなし）",
  offline:
    "smearcount が応答しません。作業は保存されています。再び起動すると、このページはそのまま続きます。その間に変えた設定はそのときに送られます。",
  otherSession:
    "このアドレスでは別のセッションが開かれています。このページは前のセッションを表示していて、何も送信しません。",
  reload: "新しいセッションを表示",
  noAnswer: "smearcount が応答しません。",
  outdated:
    "この写真は別の画面で修正されました。その状態を表示しています。もう一度操作してください。",
  selected: "{n} 個の細胞を選択",
  described: "{name}、スコア {score}、{n} 個中 {place} 番目",
  byHand: "{name}、手で追加、{n} 個中 {place} 番目",
  leftOut: "縁のため数えません",
  saved: "保存しました。{counts}",
  removeAll: "すべて取り除く",
  reallyRemove:
    "{name} を計数結果とともに取り除きますか。もう一度追加すると修正は戻ります。残したまま合計から外すこともできます。",
  reallyRemoveAll:
    "{n} 枚の写真をすべて計数結果とともに取り除きますか。もう一度追加すると修正は戻ります。",
  keep: "残す",
  leaveOut: "合計から外す",
  takeIn: "合計に入れる",
  inTotals: "合計に入れる",
  inTotalsNamed: "{name} を合計に入れる",
  nCounted: "計数済み {n} 枚",
  nFlagged: "うち警告 {n} 枚",
  nFailed: "失敗 {n} 枚",
  nOpen: "未計数 {n} 枚",
  nLeftOut: "除外 {n} 枚",
  listSeparator: "、",
  partial: "{n} 枚はまだ計数していません。今保存するファイルの名前にその旨が入ります。",
  skipped: "読み取れない種類のため追加しませんでした：{files}。",
  settingsOfAll: "スコアと縁の規則はすべての写真に適用されます。",
  pixelSizeOf: "この画素の大きさの対象",
  thisPhotograph: "この写真",
  folderNamed: "フォルダー {name}",
  applyTo: "{n} 枚に設定",
  nothingSelected: "先に細胞を選んでください。",
  alreadyAdded: "ちょうどこの位置に追加した細胞があります。先にその細胞か表示を動かしてください。",
  keys: [
    ["N / P", "次・前の細胞"],
    ["1 2 3", "選択した細胞の種類。細胞の追加中は次に追加する細胞の種類"],
    ["Delete", "選択した細胞を削除"],
    ["A", "表示の中央に細胞を追加"],
    ["矢印", "選択した細胞、または表示を動かす"],
    ["Shift + 矢印", "選択した細胞の大きさを変える"],
    ["Ctrl + A、Esc", "すべて選択、選択解除"],
    ["Shift + ドラッグ", "範囲を選択"],
    ["Ctrl + Z、Ctrl + Y", "元に戻す、やり直す"],
    ["+ − 0", "拡大、縮小、全体"],
    ["L S D", "道具：見る、範囲を選択、細胞を追加"],
    ["B", "枠の表示・非表示"],
    ["Page Up / Down", "前・次の写真"],
    ["スペースまたは中ボタン + ドラッグ", "どの道具でも表示を動かす"],
    ["Esc", "道具、選択、写真の順に終える"],
  ],
};

/** @type {Record<string, string>} */
const CELLS_JA = { WBC: "白血球", RBC: "赤血球", Platelets: "血小板" };

/** @typedef {Exclude<keyof typeof EN, "keys">} TextKey */

const language = globalThis.navigator?.languages?.[0] ?? globalThis.navigator?.language ?? "en";
export const isJapanese = language.toLowerCase().startsWith("ja");
const texts = isJapanese ? JA : EN;
const numbers = new Intl.NumberFormat(isJapanese ? "ja" : "en");

/**
 * Returns a text with its placeholders filled in.
 * @param {TextKey} key
 * @param {Record<string, string | number | undefined>} values
 */
export function t(key, values = {}) {
  return texts[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
}

/** @type {[RegExp, string][]} what the server says, and the same in Japanese */
const SERVER_JA = [
  [/not an image|is no picture|not a picture/, "読み取れる画像ではありません。"],
  [/There is not enough memory/, "この写真を計数するにはメモリーが足りません。"],
  [/^Counting failed/, "計数に失敗しました。"],
  [/^Not saved/, "結果を保存できませんでした。ディスクの空きを確かめてください。"],
  [/megapixels/, "画像が大きすぎます。小さく分けてください。"],
  [
    /^([\d.]+%) of the picture shows no smear/,
    "写真の $1 は標本が写っていない部分（周囲、帯、文字）で、除外しています",
  ],
];

/**
 * Returns what the server says in the language of the page, where that is known; in Japanese the
 * server's own words follow.
 * @param {string} sentence
 */
export function serverSentence(sentence) {
  if (!isJapanese) return sentence;
  const [pattern, japanese] = SERVER_JA.find(([known]) => known.test(sentence)) ?? [];
  if (!pattern || !japanese) return sentence;
  const value = pattern.exec(sentence)?.[1] ?? "";
  return `${japanese.replace("$1", value)}（${sentence}）`;
}

/** The keys and what they do, for the help. */
export const keyDescriptions = texts.keys;

/** @param {number} value */
export const number = (value) => numbers.format(value);

/** @param {string} name */
export const cellName = (name) => (isJapanese ? (CELLS_JA[name] ?? name) : name);

/** Fills in every element of the markup that names its text. */
export function translatePage() {
  document.documentElement.lang = isJapanese ? "ja" : "en";
  /**
   * @param {string} name of the data attribute
   * @param {(element: HTMLElement, text: string) => void} fill
   */
  const fillAll = (name, fill) => {
    /** @type {NodeListOf<HTMLElement>} */
    const elements = document.querySelectorAll(`[data-${name}]`);
    for (const element of elements)
      fill(element, t(/** @type {TextKey} */ (element.dataset[name])));
  };
  fillAll("text", (element, text) => {
    element.textContent = text;
  });
  fillAll("label", (element, text) => element.setAttribute("aria-label", text));
  fillAll("placeholder", (element, text) => element.setAttribute("placeholder", text));
}
