// The address of the page remembers what is open and where one looks, so that a reload loses nothing.

// Returns {asTable, id, place, showBoxes} as the address has them.
export function readLocationHash() {
  const words = new URLSearchParams(location.hash.slice(1));
  const [x, y, scale] = (words.get("at") ?? "").split(",").map(Number);
  return {
    asTable: words.get("view") === "table",
    id: words.get("photograph"),
    place: scale > 0 && Number.isFinite(x + y + scale) ? { x, y, scale } : undefined,
    showBoxes: words.get("boxes") !== "off",
  };
}

// Writes the address; `push` makes it a step that the browser's back button takes back.
export function writeLocationHash(asTable, editor, push = false) {
  const words = new URLSearchParams();
  if (asTable) words.set("view", "table");
  if (editor.photograph) {
    words.set("photograph", editor.photograph.row.id);
    const { view } = editor;
    const { x, y } = view.center();
    if (!view.fitted) words.set("at", [x.toFixed(1), y.toFixed(1), view.scale.toPrecision(5)].join(","));
  }
  if (!editor.showBoxes) words.set("boxes", "off");
  const address = `#${words}`;
  if (address === (location.hash || "#")) return;
  if (push) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}
