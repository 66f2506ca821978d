/* theme.ts -- light, dark, or the system's. theme-1.js sets the stored one before the first paint. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const listeners = new Set<() => void>();
let chosen: Theme = (document.documentElement.dataset.theme as Theme | undefined) ?? "system";

export function setTheme(theme: Theme): void {
  chosen = theme;
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    if (theme === "system") localStorage.removeItem("theme");
    else localStorage.setItem("theme", theme);
  } catch {
    /* Storage may be forbidden; the choice then lasts as long as the page. */
  }
  for (const listener of listeners) listener();
}

export function useTheme(): Theme {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => chosen,
  );
}
