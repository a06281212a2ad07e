// Click a column title to sort by it, click again to turn the order round.
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const value = (row) => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
      const compare = (a, b) =>
        a.cells[column].dataset.v === undefined
          ? value(a).localeCompare(value(b), undefined, { numeric: true })
          : value(a) - value(b);
      const rows = [...table.tBodies[0].rows].sort((a, b) => up * compare(a, b));
      table.tBodies[0].append(...rows);
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up > 0 ? "ascending" : "descending");
    });
  });
}
