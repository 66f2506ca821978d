/* dialog.tsx -- dialogs and questions, on Radix's focus and screen-reader work.
 *
 * Radix's own Overlay locks scrolling by writing a <style> element, which the page's policy forbids; ours is a plain element,
 * and styles.css holds the page still while [data-holds-page] is in it. */
/* SPDX-License-Identifier: Apache-2.0 */
import * as Alert from "@radix-ui/react-alert-dialog";
import * as Radix from "@radix-ui/react-dialog";
import { X } from "lucide-react";
import { useRef, useState, type ReactNode } from "react";
import { advice } from "./advice";
import { Button, IconButton } from "./button";
import { cx } from "./cx";
import { FormError } from "./field";
import { ApiError } from "@/api/client";

const scrim = "fixed inset-0 z-50 bg-scrim animate-fade backdrop-blur-[2px]";
const sheet =
  "fixed z-50 inset-x-0 bottom-0 max-h-[92dvh] overflow-y-auto rounded-t-3xl border border-line bg-surface p-6 pb-[max(1.5rem,env(safe-area-inset-bottom))] shadow-float animate-rise sm:inset-x-auto sm:bottom-auto sm:left-1/2 sm:top-1/2 sm:w-[calc(100%-3rem)] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-3xl sm:p-8 outline-none";

/* Radix gives the focus back to its own trigger; ours are opened by whatever was pressed, so that is kept and given it back. */
export function useReturn() {
  const from = useRef<Element | null>(null);
  return {
    onOpenAutoFocus: () => {
      from.current = document.activeElement;
    },
    onCloseAutoFocus: (event: Event) => {
      event.preventDefault();
      if (from.current instanceof HTMLElement && from.current.isConnected) from.current.focus();
    },
  };
}

interface DialogProps {
  open: boolean;
  onOpen: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  wide?: boolean;
}

export function Dialog({ open, onOpen, title, description, children, wide }: DialogProps) {
  const back = useReturn();
  return (
    <Radix.Root open={open} onOpenChange={onOpen}>
      <Radix.Portal>
        <div className={scrim} data-holds-page aria-hidden />
        <Radix.Content
          aria-modal
          {...back}
          className={cx(sheet, wide ? "sm:max-w-2xl" : "sm:max-w-lg")}
          {...(description ? {} : { "aria-describedby": undefined })}
        >
          <div className="flex items-start justify-between gap-4">
            <Radix.Title className="display text-2xl sm:text-[1.75rem]">{title}</Radix.Title>
            <Radix.Close asChild>
              <IconButton label="Close" className="-mr-2 -mt-1">
                <X aria-hidden />
              </IconButton>
            </Radix.Close>
          </div>
          {description && (
            <Radix.Description className="mt-2 text-muted">{description}</Radix.Description>
          )}
          <div className="mt-6">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onOpen: (open: boolean) => void;
  title: string;
  children: ReactNode;
  /* The deed, as a verb: "Delete post". */
  act: string;
  keep?: string;
  danger?: boolean;
  onConfirm: () => Promise<unknown>;
}

/* Asks before something that cannot simply be done again. Stays open, with the reason, when it fails. */
export function Confirm({
  open,
  onOpen,
  title,
  children,
  act,
  keep = "Keep it",
  danger = true,
  onConfirm,
}: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const back = useReturn();
  const run = async () => {
    setBusy(true);
    setError(null);
    try {
      await onConfirm();
      onOpen(false);
    } catch (cause) {
      if (!(cause instanceof ApiError)) throw cause;
      setError(cause);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Alert.Root
      open={open}
      onOpenChange={(next) => {
        if (busy) return;
        setError(null);
        onOpen(next);
      }}
    >
      <Alert.Portal>
        <div className={scrim} data-holds-page aria-hidden />
        <Alert.Content aria-modal {...back} className={cx(sheet, "sm:max-w-md")}>
          <Alert.Title className="display text-2xl">{title}</Alert.Title>
          <Alert.Description asChild>
            <div className="mt-3 grid gap-3 text-muted">{children}</div>
          </Alert.Description>
          {error && (
            <div className="mt-4">
              <FormError title={error.title}>{advice(error)}</FormError>
            </div>
          )}
          <div className="mt-7 flex flex-col-reverse gap-3 sm:flex-row sm:justify-end">
            <Alert.Cancel asChild>
              <Button disabled={busy}>{keep}</Button>
            </Alert.Cancel>
            <Button look={danger ? "danger" : "lamp"} busy={busy} onClick={() => void run()}>
              {act}
            </Button>
          </div>
        </Alert.Content>
      </Alert.Portal>
    </Alert.Root>
  );
}
