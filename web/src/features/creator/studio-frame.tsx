/* studio-frame.tsx -- the rooms of the studio. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useEffect, useRef } from "react";
import { NavLink, Outlet, useLocation } from "react-router";
import { cx } from "@/ui/cx";

const rooms = [
  { to: "/studio", label: "Overview", end: true },
  { to: "/studio/posts", label: "Posts" },
  { to: "/studio/tiers", label: "Tiers" },
  { to: "/studio/subscribers", label: "Subscribers" },
  { to: "/studio/earnings", label: "Earnings" },
  { to: "/studio/profile", label: "Profile" },
];

export function StudioFrame() {
  const { pathname } = useLocation();
  const rail = useRef<HTMLElement>(null);
  /* On a phone the rooms run out of the screen; the one that is open is brought in. */
  useEffect(() => {
    const open = rail.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (open && rail.current)
      rail.current.scrollLeft =
        open.offsetLeft - rail.current.clientWidth / 2 + open.offsetWidth / 2;
  }, [pathname]);
  return (
    <div className="mx-auto max-w-4xl">
      <nav
        ref={rail}
        aria-label="Studio"
        className="rail relative -mx-4 mb-8 border-b border-line px-4 sm:mx-0 sm:px-0"
      >
        <ul className="flex gap-1">
          {rooms.map(({ to, label, end }) => (
            <li key={to} className="snap-start">
              <NavLink
                to={to}
                end={end ?? false}
                className={({ isActive }) =>
                  cx(
                    "relative block whitespace-nowrap px-3 py-3 text-[0.9375rem] -outline-offset-2",
                    isActive
                      ? "font-semibold after:absolute after:inset-x-3 after:bottom-0 after:h-0.5 after:rounded-full after:bg-lamp"
                      : "text-muted hover:text-text",
                  )
                }
              >
                {label}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
      <Outlet />
    </div>
  );
}
