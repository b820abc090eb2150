"use strict";

const missing = "–";
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const textOf = (row, column) => row.cells[column].textContent.trim();
const counted = (shown, all, what) => `${shown} of ${all} ${what}`;

/** The columns of a table in order: each one's heading, title and, where it has one, group. */
function columnsOf(table) {
  const [upper, lower] = table.tHead.rows;
  const below = lower ? [...lower.cells] : [];
  return [...upper.cells].flatMap((cell) =>
    cell.scope === "colgroup"
      ? below.splice(0, cell.colSpan).map((heading) => ({ heading, group: cell }))
      : [{ heading: cell }],
  ).map(({ heading, group }) => ({
    heading,
    group,
    titles: [group, heading].filter(Boolean).map((cell) => cell.textContent),
  }));
}

/** Order rows by a column, by number where it holds numbers; what is missing comes last. */
function sortRows(body, column, ascending) {
  const rows = [...body.rows];
  const present = rows.filter((row) => textOf(row, column) !== missing);
  const numbers = present.some((row) => !Number.isNaN(parseFloat(textOf(row, column))));
  const key = (row) => (numbers ? parseFloat(textOf(row, column)) : textOf(row, column));
  const isMissing = (row) => (numbers ? Number.isNaN(key(row)) : key(row) === missing);
  const compare = numbers ? (a, b) => a - b : collator.compare;
  rows.sort((a, b) =>
    isMissing(a) || isMissing(b)
      ? isMissing(a) - isMissing(b)
      : compare(key(a), key(b)) * (ascending ? 1 : -1),
  );
  body.append(...rows);
}

function makeSortable(table, columns, say) {
  columns.forEach(({ heading, titles }, index) => {
    const name = titles.join(" ");
    const button = document.createElement("button");
    button.type = "button";
    button.setAttribute("aria-label", `${name}, sort`);
    button.append(...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const ascending = heading.getAttribute("aria-sort") !== "ascending";
      columns.forEach((other) => other.heading.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
      sortRows(table.tBodies[0], index, ascending);
      say(`sorted by ${name}, ${ascending ? "ascending" : "descending"}`);
    });
  });
}

/** A box for every title of a column or a group; a column is shown if all its titles are ticked. */
function makeColumnChoice(choice, table, columns) {
  const hidden = new Set();
  const update = () => {
    const isHidden = columns.map(({ titles }) => titles.some((title) => hidden.has(title)));
    columns.forEach(({ heading }, index) => {
      heading.hidden = isHidden[index];
    });
    for (const row of table.tBodies[0].rows) {
      isHidden.forEach((value, index) => {
        row.cells[index].hidden = value;
      });
    }
    for (const group of new Set(columns.map((column) => column.group).filter(Boolean))) {
      const shown = columns.filter((c) => c.group === group && !c.heading.hidden).length;
      group.hidden = shown === 0;
      group.colSpan = shown || 1;
    }
  };
  for (const title of new Set(columns.slice(1).flatMap(({ titles }) => titles))) {
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = true;
    box.dataset.title = title;
    box.addEventListener("change", () => {
      hidden[box.checked ? "delete" : "add"](title);
      update();
    });
    label.append(box, ` ${title}`);
    choice.append(label);
  }
}

/** Show of the items those whose name holds what is typed. */
function makeFilter(controls, items, nameOf, what) {
  const input = controls.querySelector("input");
  const output = controls.querySelector("output");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const item of items) {
      item.hidden = !nameOf(item).toLowerCase().includes(wanted);
    }
    output.textContent = counted(items.filter((item) => !item.hidden).length, items.length, what);
  });
  output.textContent = counted(items.length, items.length, what);
  controls.hidden = false;
  return output;
}

/** Link the rows that are named like a dataset to its section. */
function linkRows(table) {
  for (const row of table.tBodies[0].rows) {
    const id = `dataset-${textOf(row, 0)}`;
    if (document.getElementById(id)) {
      const link = document.createElement("a");
      link.href = `#${encodeURIComponent(id)}`;
      link.append(...row.cells[0].childNodes);
      row.cells[0].append(link);
    }
  }
}

function addCopyButton(command) {
  const button = document.createElement("button");
  const text = command.querySelector("pre");
  button.type = "button";
  button.textContent = "Copy";
  button.setAttribute("aria-live", "polite");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected";
    }
  });
  command.append(button);
}

/** Open the section that the address names, also one that a filter hides. */
function openTarget() {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target instanceof HTMLDetailsElement) {
    if (target.hidden) {
      const input = target.parentElement.querySelector("input");
      input.value = "";
      input.dispatchEvent(new Event("input"));
    }
    target.open = true;
    target.scrollIntoView();
  }
}

for (const part of document.querySelectorAll(".data")) {
  const table = part.querySelector("table");
  linkRows(table);
  const rows = [...table.tBodies[0].rows];
  const output = makeFilter(
    part.querySelector(".controls"),
    rows,
    (row) => textOf(row, 0),
    "rows",
  );
  const columns = columnsOf(table);
  makeColumnChoice(part.querySelector(".columns"), table, columns);
  makeSortable(table, columns, (order) => {
    const shown = rows.filter((row) => !row.hidden).length;
    output.textContent = `${counted(shown, rows.length, "rows")}, ${order}`;
  });
}

const datasets = document.getElementById("datasets");
const sections = [...datasets.querySelectorAll(".dataset")];
makeFilter(
  datasets.querySelector(".controls"),
  sections,
  (section) => section.querySelector("h3").textContent,
  "datasets",
);
for (const button of datasets.querySelectorAll("[data-open]")) {
  button.addEventListener("click", () => {
    for (const section of sections) {
      section.open = button.dataset.open === "true";
    }
  });
}
document.querySelectorAll(".command").forEach(addCopyButton);
addEventListener("hashchange", openTarget);
addEventListener("click", (event) => {
  // A second click on the same link changes no address.
  if (event.target.closest("a[href^='#']")) {
    setTimeout(openTarget);
  }
});
openTarget();
