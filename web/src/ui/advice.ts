/* advice.ts -- an error in words: what went wrong, and what can be done next. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ApiError } from "@/api/client";

/* The server's details are often parts of sentences: "must not be empty". */
export function sentence(text: string): string {
  const whole = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(whole) ? whole : `${whole}.`;
}

/* The server's own sentence often says what to do; these add it where it cannot know. */
function next(error: ApiError): string {
  switch (error.code) {
    case "not_found":
      return "It may have been deleted, or the link may be wrong.";
    case "too_large":
      return "Choose a smaller file.";
    case "key_reused":
      return "Load the page again and start anew.";
    case "internal":
      return error.request ? `If it keeps happening, quote ${error.request}.` : "";
    case "unknown":
      return "Try again in a moment.";
    default:
      return "";
  }
}

/* What to say below the error's own title. */
export function advice(error: unknown): string {
  if (!(error instanceof ApiError))
    return "Load the page again. If it keeps happening, tell whoever runs this site.";
  const detail = error.detail && error.detail !== error.title ? sentence(error.detail) : "";
  return [detail, next(error)].filter(Boolean).join(" ");
}

/* All of it, where the heading above says something else. */
export function reason(error: unknown): string {
  if (!(error instanceof ApiError)) return advice(error);
  return [sentence(error.title), advice(error)].filter(Boolean).join(" ");
}
