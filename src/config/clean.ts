// Puts right what chat programs and word processors do to copied addresses, cookies and browser names.
// Header values must be latin-1; an invisible character in a cookie is the most common reason for "it does not work".

const replacements: [RegExp, string][] = [
  [/[\u2010-\u2015\u2212\uFE58\uFE63\uFF0D]/g, "-"],
  [/[\u2018\u2019\u201A\u201B\u2032]/g, "'"],
  [/[\u201C\u201D\u201E\u201F\u2033]/g, '"'],
  [/[\u200B-\u200F\u202A-\u202E\u2060-\u2064\uFEFF\u00AD]/g, ""],
  [/[\u00A0\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000]/g, " "],
  [/[\r\n\t]+/g, " "],
];

export function cleanHeaderText(value: string): string {
  const replaced = replacements.reduce((text, [pattern, by]) => text.replace(pattern, by), value);
  // Control characters and everything beyond latin-1 cannot travel in a header.
  return replaced.replace(/[^\x20-\x7E\u00A0-\u00FF]/g, "");
}

/** The value of the clearance cookie alone: operators paste it with its name, with a semicolon, or broken over lines. */
export function cleanClearance(value: string): string {
  return cleanHeaderText(value)
    .replace(/\s/g, "")
    .replace(/^cf_clearance=/i, "")
    .replace(/;.*$/, "");
}

/** `chrome136`, `Chrome-136` and `chrome_136` name the same browser; null for anything else. */
export function spellBrowser(value: string): string | null {
  const plain = cleanHeaderText(value).trim().toLowerCase().replaceAll("-", "_");
  const parts = /^([a-z]+(?:_[a-z]+)*)_?(\d+(?:\.\d+)*)$/.exec(plain);
  return parts === null ? null : `${parts[1]}_${parts[2]}`;
}
