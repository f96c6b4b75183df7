// Lists the sha256 of every inline script of every prerendered page, for the content security policy.
// Runs after `next build`; proxy.ts reads the result at run time.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

const pagesFolder = ".next/server/app";
const inlineScript = /<script(?![^>]*\ssrc=)[^>]*>([\s\S]*?)<\/script>/g;

/** @type {Record<string, string[]>} */
const hashesByPage = {};
for (const entry of readdirSync(pagesFolder, { recursive: true, withFileTypes: true })) {
  if (!entry.isFile() || !entry.name.endsWith(".html")) continue;
  const file = join(entry.parentPath, entry.name);
  const page = "/" + relative(pagesFolder, file).replace(/\.html$/, "").replace(/^index$/, "");
  const hashes = new Set();
  for (const [, body] of readFileSync(file, "utf8").matchAll(inlineScript)) {
    if (body) hashes.add(`'sha256-${createHash("sha256").update(body).digest("base64")}'`);
  }
  hashesByPage[page] = [...hashes];
}
if (Object.keys(hashesByPage).length === 0) throw new Error(`no prerendered page in ${pagesFolder}`);
writeFileSync(".next/standalone/content-hashes.json", JSON.stringify(hashesByPage));
console.log(`inline script hashes: ${Object.keys(hashesByPage).length} pages`);
