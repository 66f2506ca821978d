/* menu.tsx -- a menu under a button. Not modal: Radix's modal menu writes a <style> element, which the policy forbids. */
/* SPDX-License-Identifier: Apache-2.0 */
import * as Radix from "@radix-ui/react-dropdown-menu";
import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "react-router";
import { cx } from "./cx";

const row =
  "flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2.5 text-sm outline-none data-highlighted:bg-raised data-disabled:pointer-events-none data-disabled:opacity-50 [&>svg]:size-4.5 [&>svg]:text-muted";

export function Menu({
  trigger,
  children,
  label,
}: {
  trigger: ReactNode;
  children: ReactNode;
  label?: string;
}) {
  return (
    <Radix.Root modal={false}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align="end"
          sideOffset={8}
          collisionPadding={12}
          aria-label={label}
          className="z-50 min-w-56 rounded-2xl border border-line bg-surface p-1.5 shadow-float animate-fade"
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function MenuLink({
  to,
  icon: Icon,
  children,
}: {
  to: string;
  icon: LucideIcon;
  children: ReactNode;
}) {
  return (
    <Radix.Item asChild>
      <Link to={to} className={row}>
        <Icon aria-hidden />
        {children}
      </Link>
    </Radix.Item>
  );
}

export function MenuAct({
  icon: Icon,
  children,
  onSelect,
  danger,
}: {
  icon: LucideIcon;
  children: ReactNode;
  onSelect: () => void;
  danger?: boolean;
}) {
  return (
    <Radix.Item
      className={cx(row, danger && "text-danger [&>svg]:text-danger!")}
      onSelect={onSelect}
    >
      <Icon aria-hidden />
      {children}
    </Radix.Item>
  );
}

export const MenuLine = () => <Radix.Separator className="mx-2 my-1.5 h-px bg-line" />;
export const MenuHead = ({ children }: { children: ReactNode }) => (
  <Radix.Label className="px-3 py-2">{children}</Radix.Label>
);
