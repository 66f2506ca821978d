/* theme-1.js -- sets a chosen light or dark theme before the first paint; the page's policy allows no inline script.
 * The number in the name takes the place of a hash: raise it when this file changes. */
/* SPDX-License-Identifier: Apache-2.0 */
try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
    /* Storage may be forbidden; then the system's theme stands. */
}
