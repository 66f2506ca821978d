/* style.c -- how the hosted pages look: light and dark, a phone first. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/html.h"

const char *const html_style[] = {
    ":root{--ground:#f6f5f9;--card:#fff;--ink:#1b1726;--soft:#625c72;--line:#ddd8e6;--edge:#8a829c;"
    "--accent:#6d3bd6;--accent-ink:#fff;--accent-soft:#efe9fc;--bad:#b3172f;"
    "--bad-soft:#fdecef;--note:#7a4b00;--note-soft:#fff4dc;--ring:#b79af2;--shadow:0 1px "
    "2px #1b172614,0 12px 32px -12px #1b172630}\n",
    "@media(prefers-color-scheme:dark){:root{--ground:#131019;--card:#1c1826;--ink:#f2eff8;"
    "--soft:#a9a2ba;--line:#383148;--edge:#7d7496;--accent:#a37bf5;--accent-ink:#170d2b;"
    "--accent-soft:#2a2140;--bad:#ff9aa8;--bad-soft:#3b1a22;--note:#ffd98a;"
    "--note-soft:#332812;--ring:#6d4bb8;--shadow:0 1px 2px #0006,0 16px 40px -16px #000}}\n",
    "*{box-sizing:border-box}\n",
    "html{-webkit-text-size-adjust:100%}\n",
    "body{margin:0;min-height:100vh;background:var(--ground);color:var(--ink);"
    "font:16px/1.5 Inter,ui-sans-serif,system-ui,-apple-system,\"Segoe UI\",Roboto,"
    "sans-serif}\n",
    "main{display:grid;gap:1.5rem;max-width:60rem;margin:0 auto;padding:1.25rem 1rem 3rem}\n",
    "main.narrow{max-width:28rem}\n",
    "h1{font-size:1rem;font-weight:600;margin:0;color:var(--soft)}\n",
    "h2,.card h1{font-size:1.125rem;font-weight:700;color:var(--ink);margin:0 0 1rem}\n",
    ".back{display:inline-flex;align-items:center;gap:.4rem;min-height:2.75rem;"
    "color:var(--soft);text-decoration:none;font-weight:500;margin-bottom:.5rem}\n",
    ".back:hover{color:var(--ink)}\n",
    ".total{font-size:2.5rem;line-height:1.15;font-weight:700;letter-spacing:-.02em;"
    "margin:.15rem 0 1.25rem;font-variant-numeric:tabular-nums}\n",
    ".items{list-style:none;margin:0;padding:0;border-top:1px solid var(--line)}\n",
    ".items li{display:flex;justify-content:space-between;gap:1rem;padding:.85rem 0;"
    "border-bottom:1px solid var(--line)}\n",
    ".items small{display:block;color:var(--soft);font-size:.875rem}\n",
    ".items b{font-weight:600;font-variant-numeric:tabular-nums;white-space:nowrap}\n",
    ".card{background:var(--card);border:1px solid var(--line);border-radius:1rem;"
    "padding:1.25rem;box-shadow:var(--shadow)}\n",
    "label{display:block;font-weight:500;font-size:.9rem;margin-bottom:.35rem}\n",
    ".field{margin-bottom:1rem}\n",
    ".stack{display:grid;gap:1rem;align-content:start}\n",
    ".sandbox b{white-space:nowrap}\n",
    ".pair{display:grid;grid-template-columns:1fr 1fr;gap:.75rem}\n",
    "input{width:100%;min-height:2.9rem;padding:.6rem .8rem;font:inherit;color:inherit;"
    "background:var(--ground);border:1px solid var(--edge);border-radius:.6rem;"
    "font-variant-numeric:tabular-nums}\n",
    "input::placeholder{color:var(--soft);opacity:1}\n",
    "input:focus-visible,button:focus-visible,a:focus-visible,summary:focus-visible{"
    "outline:3px solid var(--ring);outline-offset:1px}\n",
    "input[aria-invalid=true]{border-color:var(--bad);background:var(--bad-soft)}\n",
    ".why{margin:.35rem 0 0;color:var(--bad);font-size:.875rem;font-weight:500}\n",
    ".alert{display:flex;gap:.6rem;margin:0 0 1rem;padding:.8rem .9rem;border-radius:.6rem;"
    "background:var(--bad-soft);color:var(--bad);font-weight:500}\n",
    ".alert::before{content:\"!\";flex:none;width:1.35rem;height:1.35rem;border-radius:50%;"
    "display:grid;place-items:center;background:var(--bad);color:var(--bad-soft);"
    "font-weight:700;font-size:.85rem;margin-top:.05rem}\n",
    "button,.button{display:block;width:100%;min-height:3rem;padding:.75rem 1rem;"
    "font:inherit;font-weight:600;text-align:center;text-decoration:none;"
    "color:var(--accent-ink);background:var(--accent);border:0;border-radius:.6rem;"
    "cursor:pointer}\n",
    "button:hover,.button:hover{filter:brightness(1.08)}\n",
    "button.second{background:transparent;color:var(--ink);border:1px solid var(--line);"
    "margin-top:.75rem}\n",
    ".small{font-size:.85rem;color:var(--soft);margin:.9rem 0 0}\n",
    ".sandbox{background:var(--note-soft);color:var(--note);border-radius:.8rem;"
    "padding:.9rem 1rem;font-size:.9rem}\n",
    ".sandbox p{margin:0}\n",
    ".sandbox summary{cursor:pointer;font-weight:600;margin-top:.5rem;min-height:1.5rem}\n",
    ".sandbox table{border-collapse:collapse;width:100%;margin-top:.4rem}\n",
    ".sandbox th{font-weight:500;text-align:left;padding:.25rem .75rem .25rem 0;"
    "white-space:nowrap;font-variant-numeric:tabular-nums}\n",
    ".sandbox td{padding:.25rem 0}\n",
    ".done{text-align:center;padding:2.5rem 1.25rem}\n",
    ".done p{color:var(--soft);margin:.25rem 0 1.5rem}\n",
    ".bank{display:flex;align-items:center;gap:.6rem;font-weight:700;margin-bottom:1rem}\n",
    ".bank::before{content:\"\";width:1.75rem;height:1.75rem;border-radius:.5rem;"
    "background:linear-gradient(135deg,var(--accent),var(--ring))}\n",
    ".facts{display:grid;grid-template-columns:auto 1fr;gap:.35rem 1rem;margin:0 0 1.25rem}\n",
    ".facts dt{color:var(--soft)}\n",
    ".facts dd{margin:0;text-align:right;font-weight:600;font-variant-numeric:tabular-nums}\n",
    "@media(min-width:52rem){main:not(.narrow){grid-template-columns:1fr 1fr;gap:4rem;"
    "padding-top:4rem}.card{padding:1.75rem}.total{font-size:3rem}}\n",
    "@media(prefers-reduced-motion:no-preference){button,.button,input{transition:filter "
    ".15s,border-color .15s}}\n",
    NULL,
};
