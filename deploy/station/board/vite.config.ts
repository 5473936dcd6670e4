/** Builds the board as one page without anything beside it: `npm run build:board` writes dist/board/index.html. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { viteSingleFile } from "vite-plugin-singlefile";

const here = import.meta.dirname;

/** Only what stands in the page runs, and it speaks to its own host alone: the page names the hashes of its own script and style. */
function contentPolicy(): Plugin {
  const hashesOf = (html: string, tag: "script" | "style") =>
    [...html.matchAll(new RegExp(`<${tag}[^>]*>([\\s\\S]*?)</${tag}>`, "g"))]
      .map(([, text = ""]) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`)
      .join(" ");
  return {
    name: "content-policy",
    enforce: "post",
    generateBundle: {
      // After everything has moved into the page.
      order: "post",
      handler: (_options, bundle) => {
        const page = bundle["index.html"];
        if (page?.type !== "asset") throw new Error("the board has no index.html");
        const html = String(page.source);
        const policy = [
          "default-src 'none'",
          `script-src ${hashesOf(html, "script")}`,
          `style-src ${hashesOf(html, "style")}`,
          "connect-src 'self'",
          "img-src data:",
          "base-uri 'none'",
          "form-action 'none'",
        ].join("; ");
        page.source = html.replace("POLICY", () => policy);
      },
    },
  };
}

// biome-ignore lint/style/noDefaultExport: vite takes its configuration from the default export
export default defineConfig({
  ...{ root: here, base: "./", logLevel: "warn", publicDir: false },
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: { outDir: join(here, "../../../dist/board"), emptyOutDir: true, target: "es2022", modulePreload: false },
  plugins: [viteSingleFile({ removeViteModuleLoader: true }), contentPolicy()],
});
