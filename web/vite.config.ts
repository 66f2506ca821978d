/* vite.config.ts -- builds the web app and the API reference into build/web, for the program to carry inside itself. */
/* SPDX-License-Identifier: Apache-2.0 */
import { fileURLToPath } from "node:url";
import tailwind from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const server = process.env.STAGEDOOR_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  plugins: [react(), tailwind()],
  resolve: { alias: { "@": here("./src") } },
  build: {
    outDir: here("../build/web"),
    emptyOutDir: true,
    /* The policy allows fonts and scripts from this server only, so nothing may become a data: address or an inline script. */
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    /* light-dark() must reach the browser as written: .night turns it round inside a light page. */
    target: ["chrome123", "firefox121", "safari17.5"],
    rolldownOptions: {
      input: { index: here("./index.html"), docs: here("./docs.html") },
      output: {
        /* A page is small; what the pages share comes in few files, so that a first visit asks seldom. */
        codeSplitting: {
          groups: [
            { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
            { name: "vendor", test: /node_modules\// },
            { name: "parts", test: /src\/(ui|api)\// },
          ],
        },
      },
    },
  },
  server: {
    proxy: Object.fromEntries(
      ["/v1", "/media", "/m", "/openapi.json"].map((path) => [path, { target: server }]),
    ),
  },
});
