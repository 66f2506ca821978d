/* docs.tsx -- the page /docs. */
/* SPDX-License-Identifier: Apache-2.0 */
export function Docs() { return <h1>API</h1>; }
