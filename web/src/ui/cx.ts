/* cx.ts -- joins class names, leaving out what is false. */
/* SPDX-License-Identifier: Apache-2.0 */
export const cx = (...names: (string | false | null | undefined)[]): string =>
  names.filter(Boolean).join(" ");
