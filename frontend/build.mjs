// Writes the committed files of ../static from ./css and ./node_modules. Commands: `css`, `assets`.
//
// Same inputs, same bytes: CI builds again and compares, so nothing here may depend on time, place or file order.
import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const MODULES = join(HERE, "node_modules");
const STATIC = join(HERE, "..", "static");

const read = (...path) => readFileSync(join(...path), "utf8");

function write(text, ...path) {
  const file = join(...path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function copy(from, ...to) {
  const file = join(STATIC, ...to);
  mkdirSync(dirname(file), { recursive: true });
  copyFileSync(join(MODULES, from), file);
}

// Basecoat's style packs are one file of long selector lists, 224 KB for all components. Only the sections named here
// are taken, and their translucent dark fills become the solid --field: `:is(html.dark *)` cannot be overridden later.
const COMPONENTS = {
  Button: "button",
  Textarea: "textarea",
  Input: "input",
  "Native Select": "native-select",
  Checkbox: "checkbox",
  Switch: "switch",
  Field: "field",
  Kbd: "kbd",
  Label: "label",
  Tooltip: "tooltip",
};
const FILLED = new Set(["Input", "Native Select", "Textarea"]);

function styleSections(pack) {
  const parts = pack.split(/^ {1,2}\/\* ([A-Z][A-Za-z ]+) \*\/\n/m);
  return new Map(parts.slice(1).flatMap((part, i, all) => (i % 2 ? [] : [[part, all[i + 1]]])));
}

/** The section up to the brace that closes the pack's @layer, which only its last section contains. */
function withoutLayerEnd(section) {
  const kept = [];
  let depth = 0;
  for (const line of section.split("\n")) {
    depth += line.split("{").length - line.split("}").length;
    if (depth < 0) break;
    kept.push(line);
  }
  return kept.join("\n");
}

function basecoatSubset() {
  const dist = join(MODULES, "basecoat-css", "dist");
  const sections = styleSections(read(dist, "styles", "nova.css"));
  const imports = Object.values(COMPONENTS).map((file) => `@import "../basecoat-css/dist/components/${file}.css";`);
  const styles = Object.keys(COMPONENTS).map((name) => {
    const section = sections.get(name);
    if (!section) throw new Error(`Basecoat's Nova pack has no section "${name}"`);
    const solid = withoutLayerEnd(section).replaceAll("dark:bg-input/30", "dark:bg-field");
    return FILLED.has(name) ? solid.replaceAll("bg-transparent", "bg-field") : solid;
  });
  return [...imports, "@layer components {", ...styles, "}", ""].join("\n");
}

function buildCss() {
  write(basecoatSubset(), MODULES, ".cache", "basecoat-nova.css");
  const cli = join(MODULES, "@tailwindcss", "cli", "dist", "index.mjs");
  execFileSync(process.execPath, [cli, "-i", "css/app.css", "-o", join(STATIC, "app.css"), "--minify"], {
    cwd: HERE,
    stdio: ["ignore", "inherit", "inherit"],
  });
}

function iconSprite() {
  const names = read(HERE, "icons.txt").trim().split("\n").sort();
  const symbols = names.map((name) => {
    const inner = read(MODULES, "lucide-static", "icons", `${name}.svg`).match(/<svg[^>]*>(.*)<\/svg>/s)[1];
    return `<symbol id="${name}" viewBox="0 0 24 24">${inner.replace(/\n */g, "").trim()}</symbol>`;
  });
  return [
    '<svg xmlns="http://www.w3.org/2000/svg">',
    "<!-- Lucide, ISC: icons.LICENSE -->",
    ...symbols,
    "</svg>",
    "",
  ].join("\n");
}

function buildAssets() {
  write(iconSprite(), STATIC, "icons.svg");
  copy("lucide-static/LICENSE", "icons.LICENSE");
  for (const family of ["geist", "geist-mono"]) {
    copy(
      `@fontsource-variable/${family}/files/${family}-latin-wght-normal.woff2`,
      "fonts",
      `${family}-latin-wght-normal.woff2`,
    );
    copy(`@fontsource-variable/${family}/LICENSE`, "fonts", `${family}.LICENSE`);
  }
  copy("htmx.org/dist/htmx.min.js", "vendor", "htmx.min.js");
  copy("htmx.org/LICENSE", "vendor", "htmx.LICENSE");
  copy("idiomorph/dist/idiomorph-ext.min.js", "vendor", "idiomorph.min.js");
  copy("idiomorph/LICENSE", "vendor", "idiomorph.LICENSE");
  copy("basecoat-css/LICENSE.md", "vendor", "basecoat.LICENSE");
  copy("tailwindcss/LICENSE", "vendor", "tailwindcss.LICENSE");
}

const COMMANDS = { css: buildCss, assets: buildAssets };
for (const command of process.argv.slice(2)) {
  if (!COMMANDS[command]) throw new Error(`unknown command ${command}; there are: ${Object.keys(COMMANDS).join(", ")}`);
  COMMANDS[command]();
}
