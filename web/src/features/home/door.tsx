/* door.tsx -- the house's picture: a stage door at night, standing ajar under its lamp. Drawn, so that no outside image is needed. */
/* SPDX-License-Identifier: Apache-2.0 */
import { cx } from "@/ui/cx";

const rows = Array.from({ length: 16 }, (_, i) => i);
const columns = Array.from({ length: 9 }, (_, i) => i);

export function Door({ className, shut = false }: { className?: string; shut?: boolean }) {
  return (
    <svg viewBox="0 0 360 420" className={cx("overflow-visible", className)} aria-hidden>
      <defs>
        <radialGradient id="door-halo" cx="50%" cy="0%" r="100%" fx="50%" fy="0%">
          <stop offset="0" stopColor="#ffd48a" stopOpacity=".85" />
          <stop offset=".35" stopColor="#f7a93b" stopOpacity=".32" />
          <stop offset="1" stopColor="#f7a93b" stopOpacity="0" />
        </radialGradient>
        <linearGradient id="door-inside" x1="0" x2="1">
          <stop offset="0" stopColor="#ffe9bf" />
          <stop offset="1" stopColor="#f3a238" />
        </linearGradient>
        <linearGradient id="door-leaf" x1="0" x2="1">
          <stop offset="0" stopColor="#5b1f22" />
          <stop offset="1" stopColor="#3a1316" />
        </linearGradient>
        <linearGradient id="door-spill" x1="0" y1="0" x2="0" y2="1">
          <stop offset="0" stopColor="#ffcf7d" stopOpacity=".75" />
          <stop offset="1" stopColor="#ffcf7d" stopOpacity="0" />
        </linearGradient>
        <radialGradient id="door-wall" cx="50%" cy="30%" r="62%">
          <stop offset="0" stopColor="#fff" stopOpacity="1" />
          <stop offset="1" stopColor="#fff" stopOpacity="0" />
        </radialGradient>
        <mask id="door-fade">
          <rect x="-40" y="-20" width="440" height="390" fill="url(#door-wall)" />
        </mask>
      </defs>
      {/* Bricks that the lamp reaches. */}
      <g mask="url(#door-fade)" fill="none" stroke="#c98b4a" strokeOpacity=".34" strokeWidth="1.2">
        {rows.map((row) =>
          columns.map((column) => (
            <rect
              key={`${row}-${column}`}
              x={-30 + column * 48 - (row % 2) * 24}
              y={10 + row * 21}
              width="46"
              height="19"
              rx="2"
            />
          )),
        )}
      </g>
      {/* Frame, the light inside, the leaf that stands ajar. */}
      <path
        d="M105 352V150a75 75 0 0 1 150 0v202z"
        fill="#0c0907"
        stroke="#7a5330"
        strokeWidth="5"
      />
      {shut ? (
        <path d="M112 352V150a68 68 0 0 1 136 0v202z" fill="url(#door-leaf)" />
      ) : (
        <>
          <path d="M112 352V150a68 68 0 0 1 136 0v202z" fill="url(#door-inside)" />
          <path d="M112 352V150a68 68 0 0 1 68-68c14 0 22 3 22 10v282z" fill="url(#door-leaf)" />
          <path d="M202 92v282" stroke="#ffdf9f" strokeWidth="2.5" />
        </>
      )}
      <g fill="none" stroke="#7d3a36" strokeWidth="2" opacity=".8">
        {shut ? (
          <>
            <path d="M130 240V152a50 50 0 0 1 44-50v138zM230 240V152a50 50 0 0 0-44-50v138z" />
            <path d="M130 335v-78h44v78zM230 335v-78h-44v78z" />
          </>
        ) : (
          <>
            <path d="M126 238V154c0-26 18-46 42-50l20-1v140z" />
            <path d="M126 338v-82l62 6v88z" />
          </>
        )}
      </g>
      <circle cx={shut ? 180 : 193} cy="250" r="4.5" fill="#f7c877" />
      {/* Steps, and the light that falls over them. */}
      <path d="M84 352h192v14H84zM66 366h228v16H66z" fill="#1f1711" stroke="#4b3625" />
      {!shut && <path d="M202 352h46l92 66H226z" fill="url(#door-spill)" />}
      {/* The lamp. */}
      <g className="motion-safe:animate-flicker">
        <path d="M180 48 330 330H30z" fill="url(#door-halo)" />
        <ellipse cx="180" cy="50" rx="86" ry="44" fill="url(#door-halo)" opacity=".9" />
      </g>
      <path d="M180 10v18" stroke="#6d5238" strokeWidth="4" strokeLinecap="round" />
      <path d="M150 52a30 27 0 0 1 60 0z" fill="#2b2119" stroke="#8d6538" strokeWidth="2.5" />
      <path d="M164 53a16 13 0 0 0 32 0z" fill="#ffedc9" />
    </svg>
  );
}
