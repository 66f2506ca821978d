/* landing.tsx -- the front of the house, for those who do not know it yet. */
/* SPDX-License-Identifier: Apache-2.0 */
import { ArrowRight, Camera, HandCoins, ServerCog } from "lucide-react";
import { usePages } from "@/api/query";
import { CreatorTile, CreatorTileSkeleton } from "@/features/creator/creator-tile";
import { useMe } from "@/features/account/me";
import { ButtonLink } from "@/ui/button";
import { Logo } from "@/ui/logo";
import { useTitle } from "@/ui/page";
import { Door } from "./door";

const promises = [
  {
    icon: Camera,
    title: "Seen by those you choose",
    text: "Every photograph is for everyone, for followers, or for the tiers you pick. Anyone else gets a blur that the server made from a few dozen pixels, and nothing more.",
  },
  {
    icon: HandCoins,
    title: "Money you can follow",
    text: "Gross, fee and net for every single payment, out of a double-entry ledger. No estimates, no surprises on payday.",
  },
  {
    icon: ServerCog,
    title: "A house of your own",
    text: "One program on one machine that belongs to whoever runs it. No trackers, no outside scripts, no algorithm between you and your people.",
  },
];

export default function Landing() {
  useTitle("");
  const me = useMe();
  const creators = usePages("GET /v1/creators", { query: { limit: 6 } });
  return (
    <>
      <section className="night relative isolate overflow-hidden bg-[#12100e]">
        <div aria-hidden className="lamplight absolute inset-0 -z-10 lg:left-1/3" />
        <div className="mx-auto grid max-w-6xl items-center gap-4 px-5 pb-14 pt-12 sm:px-8 lg:grid-cols-[1.15fr_1fr] lg:gap-12 lg:py-20">
          <div className="max-lg:text-center">
            <h1 className="display text-[clamp(2.9rem,11vw,5.25rem)] leading-[0.98]!">
              The way in is <em className="not-italic text-lamp">round the back.</em>
            </h1>
            <p className="mx-auto mt-6 max-w-[34rem] text-lg leading-relaxed text-muted lg:mx-0">
              Stagedoor is where creators share what never makes it to the stage, with the people
              who keep the lights on.
            </p>
            <div className="mt-9 flex flex-wrap gap-3 max-lg:justify-center">
              {me ? (
                <ButtonLink to="/feed" look="lamp" size="large">
                  Go to your feed <ArrowRight aria-hidden />
                </ButtonLink>
              ) : (
                <ButtonLink to="/signup" look="lamp" size="large">
                  Come on in <ArrowRight aria-hidden />
                </ButtonLink>
              )}
              <ButtonLink to="/explore" look="plain" size="large">
                Explore creators
              </ButtonLink>
            </div>
          </div>
          <Door className="mx-auto h-[21rem] max-w-full lg:h-[30rem]" />
        </div>
      </section>

      {(creators.isPending || (creators.items?.length ?? 0) > 0) && (
        <section className="mx-auto max-w-6xl px-5 pt-16 sm:px-8" aria-labelledby="on-tonight">
          <div className="mb-7 flex items-end justify-between gap-4">
            <h2 id="on-tonight" className="display text-3xl">
              Behind the door
            </h2>
            <ButtonLink to="/explore" look="link">
              All creators
            </ButtonLink>
          </div>
          <ul className="grid gap-5 sm:grid-cols-2 lg:grid-cols-3">
            {creators.items
              ? creators.items
                  .slice(0, 6)
                  .map((creator) => <CreatorTile key={creator.id} creator={creator} level="h3" />)
              : [1, 2, 3].map((n) => <CreatorTileSkeleton key={n} />)}
          </ul>
        </section>
      )}

      <section className="mx-auto max-w-6xl px-5 py-20 sm:px-8" aria-labelledby="promises">
        <h2 id="promises" className="display max-w-2xl text-3xl sm:text-4xl">
          Built for the ones on stage, and kind to the ones who came to see them
        </h2>
        <ul className="mt-10 grid gap-x-10 gap-y-9 md:grid-cols-3">
          {promises.map(({ icon: Icon, title, text }) => (
            <li key={title} className="border-t-2 border-lamp pt-5">
              <Icon className="size-6 text-glow" aria-hidden />
              <h3 className="mt-3 text-lg font-semibold">{title}</h3>
              <p className="mt-2 text-muted">{text}</p>
            </li>
          ))}
        </ul>
        <div className="night mt-16 flex flex-wrap items-center justify-between gap-6 rounded-3xl bg-[#1d1512] p-8 sm:p-10">
          <div className="max-w-xl">
            <h2 className="display text-3xl">Have something to show?</h2>
            <p className="mt-2 text-muted">
              A handle, a tier with a price, a first photograph. Ten minutes, and your door is open.
            </p>
          </div>
          <ButtonLink to={me?.creator ? "/studio" : "/become"} look="lamp" size="large">
            {me?.creator ? "Open your studio" : "Become a creator"}
          </ButtonLink>
        </div>
      </section>

      <footer className="border-t border-line">
        <div className="mx-auto flex max-w-6xl flex-wrap items-center justify-between gap-4 px-5 py-8 text-sm text-muted sm:px-8">
          <Logo className="text-text" />
          <nav aria-label="Foot" className="flex gap-6">
            <a href="/explore" className="underline-offset-4 hover:underline">
              Explore
            </a>
            <a href="/docs" className="underline-offset-4 hover:underline">
              API reference
            </a>
          </nav>
        </div>
      </footer>
    </>
  );
}
