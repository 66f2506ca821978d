/* shell.tsx -- the frame of every page: ways about, the main part, notices; and the event stream while somebody is here. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQueryClient } from "@tanstack/react-query";
import {
  Clapperboard,
  Compass,
  House,
  LogOut,
  Moon,
  PenLine,
  Settings as Gear,
  Sparkles,
  Sun,
  Ticket,
  UserRound,
  type LucideIcon,
} from "lucide-react";
import { useEffect, useRef } from "react";
import {
  Link,
  NavLink,
  Outlet,
  ScrollRestoration,
  useLocation,
  useNavigate,
  useNavigation,
} from "react-router";
import { api } from "@/api/client";
import { useGet } from "@/api/query";
import { useLive } from "@/api/live";
import type { Me } from "@/api/schema";
import { useBecome, useMe } from "@/features/account/me";
import { Avatar } from "@/ui/avatar";
import { ButtonLink, IconButton } from "@/ui/button";
import { cx } from "@/ui/cx";
import { Logo, Mark } from "@/ui/logo";
import { Menu, MenuAct, MenuHead, MenuLine, MenuLink } from "@/ui/menu";
import { setTheme, useTheme } from "@/ui/theme";
import { toast, Toasts } from "@/ui/toast";

interface Way {
  to: string;
  label: string;
  icon: LucideIcon;
}

const waysOf = (me: Me): Way[] => [
  { to: "/feed", label: "Home", icon: House },
  { to: "/explore", label: "Explore", icon: Compass },
  me.creator
    ? { to: "/studio", label: "Studio", icon: Clapperboard }
    : { to: "/become", label: "Create", icon: Sparkles },
  { to: "/subscriptions", label: "Subscriptions", icon: Ticket },
  { to: "/settings", label: "Settings", icon: Gear },
];

/* What the theme is now, whoever chose it. */
const isDark = (theme: string) =>
  theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);

function ThemeButton() {
  const theme = useTheme();
  const dark = isDark(theme);
  return (
    <IconButton
      label={dark ? "Use the light theme" : "Use the dark theme"}
      onClick={() => setTheme(dark ? "light" : "dark")}
      className="text-muted"
    >
      {dark ? <Sun aria-hidden /> : <Moon aria-hidden />}
    </IconButton>
  );
}

function useLogout() {
  const become = useBecome();
  const navigate = useNavigate();
  return async () => {
    try {
      await api("DELETE /v1/sessions/current");
    } catch (error) {
      toast.failed("You are still logged in", error);
      return;
    }
    await become(null);
    await navigate("/");
  };
}

function AccountMenu({ me, wide = false }: { me: Me; wide?: boolean }) {
  const logout = useLogout();
  const theme = useTheme();
  const dark = isDark(theme);
  const creator = useGet("GET /v1/creators/me", undefined, { enabled: me.creator }).data;
  const face = (
    <Avatar
      name={me.name}
      handle={creator?.handle ?? me.id}
      src={creator?.avatar_url}
      className="size-9 text-xs"
    />
  );
  return (
    <Menu
      label="Account"
      trigger={
        <button
          type="button"
          aria-label={wide ? undefined : "Account menu"}
          className={cx(
            "flex items-center gap-3 rounded-full text-left",
            wide && "w-full p-2 pr-4 hover:bg-raised",
          )}
        >
          {face}
          {wide && (
            <span className="min-w-0">
              <span className="block truncate text-sm font-semibold">{me.name}</span>
              <span className="block truncate text-xs text-muted">
                {creator ? `@${creator.handle}` : me.email}
              </span>
            </span>
          )}
        </button>
      }
    >
      <MenuHead>
        <span className="block text-sm font-semibold">{me.name}</span>
        <span className="block text-xs text-muted">{me.email}</span>
      </MenuHead>
      <MenuLine />
      {creator ? (
        <MenuLink to={`/@${creator.handle}`} icon={UserRound}>
          Your page
        </MenuLink>
      ) : (
        <MenuLink to="/become" icon={Sparkles}>
          Become a creator
        </MenuLink>
      )}
      <MenuLink to="/subscriptions" icon={Ticket}>
        Subscriptions
      </MenuLink>
      <MenuLink to="/settings" icon={Gear}>
        Settings
      </MenuLink>
      <MenuAct icon={dark ? Sun : Moon} onSelect={() => setTheme(dark ? "light" : "dark")}>
        {dark ? "Light theme" : "Dark theme"}
      </MenuAct>
      <MenuLine />
      <MenuAct icon={LogOut} onSelect={() => void logout()}>
        Log out
      </MenuAct>
    </Menu>
  );
}

/* Wide screens: the ways down the left side. */
function Rail({ me }: { me: Me }) {
  return (
    <header className="sticky top-0 hidden h-dvh w-60 shrink-0 flex-col border-r border-line px-4 py-6 lg:flex">
      <Link to="/feed" className="mx-2 mb-8 self-start rounded-lg" aria-label="Stagedoor, home">
        <Logo />
      </Link>
      <nav aria-label="Main" className="grid gap-1">
        {waysOf(me).map(({ to, label, icon: Icon }) => (
          <NavLink
            key={to}
            to={to}
            className={({ isActive }) =>
              cx(
                "group flex items-center gap-3.5 rounded-full px-4 py-3 text-[0.9375rem] transition-colors hover:bg-raised",
                isActive ? "bg-raised font-semibold text-text" : "font-medium text-muted",
              )
            }
          >
            {({ isActive }) => (
              <>
                <Icon className={cx("size-5", isActive && "text-glow")} aria-hidden />
                {label}
              </>
            )}
          </NavLink>
        ))}
      </nav>
      {me.creator && (
        <ButtonLink to="/studio/compose" look="lamp" className="mt-6">
          <PenLine aria-hidden />
          New post
        </ButtonLink>
      )}
      <div className="mt-auto">
        <AccountMenu me={me} wide />
      </div>
    </header>
  );
}

/* Phones: the ways along the foot, with the new post in the middle for creators. */
function Foot({ me }: { me: Me }) {
  const ways = waysOf(me).slice(0, 4);
  if (me.creator) ways.splice(2, 0, { to: "/studio/compose", label: "New post", icon: PenLine });
  return (
    <nav
      aria-label="Main"
      className="fixed inset-x-0 bottom-0 z-40 border-t border-line bg-bg/92 pb-[env(safe-area-inset-bottom)] backdrop-blur-md lg:hidden"
    >
      <ul className="mx-auto flex max-w-lg">
        {ways.map(({ to, label, icon: Icon }) => (
          <li key={to} className="min-w-0 flex-1">
            <NavLink
              to={to}
              end={to === "/studio"}
              className={({ isActive }) =>
                cx(
                  "flex h-15 flex-col items-center justify-center gap-1 text-[0.6875rem] -outline-offset-2",
                  isActive ? "font-semibold text-text" : "font-medium text-muted",
                )
              }
            >
              {({ isActive }) =>
                to === "/studio/compose" ? (
                  <>
                    <span className="flex h-8 w-12 items-center justify-center rounded-full bg-lamp text-onlamp">
                      <Icon className="size-4.5" aria-hidden />
                    </span>
                    <span className="sr-only">{label}</span>
                  </>
                ) : (
                  <>
                    <Icon className={cx("size-5.5", isActive && "text-glow")} aria-hidden />
                    <span className="max-w-full truncate">{label}</span>
                  </>
                )
              }
            </NavLink>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Top({ me, railed }: { me: Me | null | undefined; railed: boolean }) {
  return (
    <header
      className={cx(
        "sticky top-0 z-40 border-b border-line/70 bg-bg/90 backdrop-blur-md",
        railed && "lg:hidden",
      )}
    >
      <div className="mx-auto flex h-15 max-w-6xl items-center gap-1.5 px-4 sm:px-6">
        <Link
          to={me ? "/feed" : "/"}
          className="mr-auto rounded-lg"
          aria-label="Stagedoor, start page"
        >
          <span className="max-[22rem]:hidden">
            <Logo />
          </span>
          <Mark className="hidden max-[22rem]:block" />
        </Link>
        {me === null && (
          <nav aria-label="Main" className="flex items-center gap-1">
            <ButtonLink to="/explore" look="quiet" size="small" className="max-sm:px-2.5!">
              <Compass className="size-5! sm:hidden" aria-hidden />
              <span className="max-sm:sr-only">Explore</span>
            </ButtonLink>
            <span className="hidden sm:block">
              <ThemeButton />
            </span>
            <ButtonLink to="/login" look="quiet" size="small" className="max-sm:px-2.5!">
              Log in
            </ButtonLink>
            <ButtonLink to="/signup" look="lamp" size="small">
              Sign up
            </ButtonLink>
          </nav>
        )}
        {me && (
          <>
            <ThemeButton />
            <AccountMenu me={me} />
          </>
        )}
      </div>
    </header>
  );
}

/* A new page is a new subject: the focus goes to its main part, so that a screen reader starts there. */
function useArrival() {
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const first = useRef(true);
  useEffect(() => {
    if (first.current) first.current = false;
    else main.current?.focus({ preventScroll: true });
  }, [pathname]);
  return main;
}

/* Whether somebody was logged in the last time, so that the frame can stand in its place before it is known again. */
const inKey = "in";
function wasIn(): boolean {
  try {
    return localStorage.getItem(inKey) === "1";
  } catch {
    return false;
  }
}
function keepIn(on: boolean): void {
  try {
    if (on) localStorage.setItem(inKey, "1");
    else localStorage.removeItem(inKey);
  } catch {
    /* Storage may be forbidden; then the frame comes a moment later. */
  }
}

/* A thin line at the top while the next page's files are on their way. */
function Underway() {
  const busy = useNavigation().state === "loading";
  return (
    <div
      aria-hidden
      className="pointer-events-none fixed inset-x-0 top-0 z-70 h-0.5 overflow-hidden"
    >
      {busy && <div className="h-full w-full origin-left animate-draw bg-lamp" />}
    </div>
  );
}

export function Shell() {
  const me = useMe();
  const client = useQueryClient();
  const main = useArrival();
  const { pathname } = useLocation();
  useLive(client, Boolean(me));
  useEffect(() => {
    if (me !== undefined) keepIn(me !== null);
  }, [me]);
  const expected = me === undefined && wasIn();
  const bare = ["/", "/login", "/signup", "/forgot", "/reset", "/verify"].includes(pathname);
  return (
    <>
      <a
        href="#main"
        className="fixed left-3 top-3 z-70 -translate-y-20 rounded-full bg-lamp px-5 py-3 font-semibold text-onlamp focus:translate-y-0"
      >
        Skip to the content
      </a>
      <Underway />
      <div className={cx("mx-auto flex", (me || expected) && !bare && "max-w-[88rem]")}>
        {me && !bare && <Rail me={me} />}
        {expected && !bare && (
          <div className="hidden h-dvh w-60 shrink-0 border-r border-line lg:block" />
        )}
        <div className="min-w-0 grow">
          <Top me={me} railed={(Boolean(me) || expected) && !bare} />
          <main
            ref={main}
            id="main"
            tabIndex={-1}
            className={cx(
              "outline-none",
              !bare && "px-4 pt-6 sm:px-6 lg:pt-10",
              !bare && (me ? "pb-28 lg:pb-16" : "pb-20"),
            )}
          >
            <Outlet />
          </main>
        </div>
      </div>
      {me && !bare && <Foot me={me} />}
      <Toasts />
      <ScrollRestoration />
    </>
  );
}
