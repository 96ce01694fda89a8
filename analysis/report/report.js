"use strict";
// Draws every chart from the JSON in this file, keeps them as wide as their place, and switches light and dark.
const VIEWS = [];
const PAPER = "on-paper"; // the class of a page that is laid out as wide as a sheet of A4
const SHRINK = 0.8; // of a picture on paper, words and all: two figures fit on a sheet

function rowsOf(table) {
  if (Array.isArray(table)) return table;
  const columns = Object.entries(table.columns);
  return Array.from({ length: table.size }, (_, row) =>
    Object.fromEntries(columns.map(([name, [values, places]]) => [name, values[places ? places[row] : row]])));
}

function unpack(spec) {
  const tables = Object.entries(spec.datasets).map(([name, table]) => [name, rowsOf(table)]);
  return { ...spec, datasets: Object.fromEntries(tables) };
}

async function draw(spec, place) {
  const options = {
    mode: "vega-lite", renderer: "svg", actions: false,
    ast: true, // expressions are interpreted: this page may not compile text into code
    config: { background: "transparent", font: getComputedStyle(document.body).fontFamily },
  };
  try {
    const { view } = await vegaEmbed(place, unpack(spec), options);
    VIEWS.push([view, place]);
  } catch (error) {
    place.textContent = "This picture could not be drawn.";
    console.error(error);
  }
}

function fit(shrink = 1) {
  for (const [view, place] of VIEWS) view.signal("width", place.clientWidth / shrink).run();
}

async function drawAll() {
  const specs = JSON.parse(document.getElementById("specs").textContent);
  for (const [index, spec] of specs.entries()) await draw(spec, document.getElementById(`chart${index}`));
  document.documentElement.dataset.drawn = VIEWS.length;
}

function switchTheme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

addEventListener("beforeprint", () => { document.documentElement.classList.add(PAPER); fit(SHRINK); });
addEventListener("afterprint", () => { document.documentElement.classList.remove(PAPER); fit(); });
document.getElementById("switch").addEventListener("click", switchTheme);
document.getElementById("print").addEventListener("click", () => print());
drawAll();
