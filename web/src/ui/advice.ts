/* advice.ts -- what somebody can do next about an error, in a sentence. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ApiError } from "@/api/client";

export function advice(error: unknown): string {
  if (!(error instanceof ApiError)) return "Load the page again. If it keeps happening, tell whoever runs this site.";
  const next = nextStep(error);
  return error.detail && error.detail !== error.title ? `${error.detail.replace(/\.?$/, ".")}${next ? ` ${next}` : ""}` : next || "Try again in a moment.";
}

function nextStep(error: ApiError): string {
  if (error.status === 401) return "Log in again, then repeat this.";
  if (error.status === 403) return "This account may not do that. Log in with another one if you have it.";
  if (error.status === 404) return "It may have been deleted, or the link may be wrong.";
  if (error.status === 429) return "Wait a minute, then try again.";
  if (error.status >= 500) return `Nothing you did is lost. Try again in a moment${error.request ? `; if it stays, quote ${error.request}` : ""}.`;
  return "";
}
