/* main.tsx -- starts the API reference. */
/* SPDX-License-Identifier: Apache-2.0 */
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import "../styles.css";
import { Docs } from "./docs";

const root = document.getElementById("root");
if (!root) throw new Error("docs.html has no #root");
createRoot(root).render(
  <StrictMode>
    <Docs />
  </StrictMode>,
);
