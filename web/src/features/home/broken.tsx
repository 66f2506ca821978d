/* broken.tsx -- when a page itself failed: our bug, or a new release that no longer has this one's files. */
/* SPDX-License-Identifier: Apache-2.0 */
import { RotateCw } from "lucide-react";
import { Button, ButtonLink } from "@/ui/button";

export function Broken() {
  return (
    <div
      role="alert"
      className="mx-auto flex max-w-md flex-col items-center px-6 py-24 text-center"
    >
      <h1 className="display text-4xl">The lights went out</h1>
      <p className="mt-3 text-muted">
        This page failed to open. Often a newer version has just been installed; loading the page
        again brings it.
      </p>
      <div className="mt-8 flex flex-wrap justify-center gap-3">
        <Button look="lamp" onClick={() => location.reload()}>
          <RotateCw aria-hidden />
          Load again
        </Button>
        <ButtonLink to="/" reloadDocument>
          Start page
        </ButtonLink>
      </div>
    </div>
  );
}
