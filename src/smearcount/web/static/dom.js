// Elements of the page: found by id, and made.

/**
 * Returns an element of the page's markup.
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @param {new () => T} [type] the class that it has
 * @returns {T}
 */
export function byId(id, type) {
  const found = document.getElementById(id);
  if (!found || (type && !(found instanceof type))) throw new Error(`#${id} is missing`);
  return /** @type {T} */ (found);
}

/**
 * Makes an element.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Partial<HTMLElementTagNameMap[K]>} [properties]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

/**
 * Makes a header cell of a table.
 * @param {string} textContent
 * @param {string} scope
 * @param {Partial<HTMLTableCellElement>} [properties]
 */
export function headerCell(textContent, scope, properties = {}) {
  return element("th", { textContent, scope, ...properties });
}
