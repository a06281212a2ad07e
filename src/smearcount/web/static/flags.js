// The flags of a photograph in the language of the browser, each with what it means and what to do.

import { session } from "./session_state.js";
import { isJapanese } from "./translations.js";

/** @type {Record<string, [string, string]>} */
const JA = {
  "out of focus": [
    "ピントが合っていません",
    "輪郭が学習画像よりぼやけています。ピントを合わせて撮り直してください。重なった細胞や血小板から見落とされます。",
  ],
  "too dark": [
    "暗すぎます",
    "細胞のない部分がどの学習画像よりも暗い写真です。光を強くしてください。",
  ],
  "too bright": [
    "明るすぎます",
    "広い範囲が真っ白になり、細部が失われています。光を弱くしてください。",
  ],
  "unlike the training images": [
    "学習画像に似ていません",
    "色や質感が、モデルの学んだどの種類の画像とも離れています。染色や顕微鏡が違うか、塗抹標本ではありません。計数を使う前に枠を確かめてください。",
  ],
  "nothing found": [
    "何も見つかりません",
    "細胞が一つも見つかりませんでした。細胞が見える倍率の血液塗抹標本ですか。",
  ],
  "too crowded": [
    "細胞が混みすぎています",
    "学習画像より広い面積を細胞が覆い、隠れた細胞があります。細胞が重ならずに並ぶ視野を選んでください。",
  ],
  "too sparse": [
    "細胞がまばらすぎます",
    "細胞の覆う面積が学習画像より狭い写真です。標本の厚い側に近い視野を選んでください。",
  ],
  "magnification implausible": [
    "倍率が疑わしい",
    "見つかった赤血球の大きさが倍率に合わないか、小さすぎる、または大きすぎます。画素の大きさを指定するか、確かめてください。",
  ],
  "many doubtful cells": [
    "疑わしい細胞が多い",
    "計数した細胞と同じくらい多くの、数えるには疑わしい検出がありました。枠を確かめてください。",
  ],
};

/** @param {string} flag */
export const flagName = (flag) => (isJapanese && JA[flag]?.[0]) || flag;
/** @param {string} flag */
export const flagMeaning = (flag) => (isJapanese && JA[flag]?.[1]) || session.flags[flag] || "";
