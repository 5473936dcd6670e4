/** `npm run docs`: writes the documents that are made from the settings. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { exampleText, withTable } from "./docs.ts";

/** This file runs from `dist/deploy`. */
const root = join(import.meta.dirname, "../..");
writeFileSync(join(root, "deploy/site.example.yaml"), exampleText());
const readme = join(root, "README.md");
writeFileSync(readme, withTable(readFileSync(readme, "utf8")));
