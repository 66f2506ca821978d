/* app.tsx -- every address of the web app and the page behind it. Each page is a file of its own, fetched when first visited. */
/* SPDX-License-Identifier: Apache-2.0 */
import type { ComponentType } from "react";
import { createBrowserRouter } from "react-router";
import { Guard } from "./features/account/guard";
import { Broken } from "./features/home/broken";
import { NotFound } from "./features/home/not-found";
import { Shell } from "./features/home/shell";
import { StudioFrame } from "./features/creator/studio-frame";

const page = (load: () => Promise<{ default: ComponentType }>) => ({
  lazy: async () => ({ Component: (await load()).default }),
});

export const router = createBrowserRouter([
  {
    element: <Shell />,
    errorElement: <Broken />,
    hydrateFallbackElement: <></>,
    children: [
      {
        errorElement: <Broken />,
        children: [
          { path: "/", ...page(() => import("./features/home/landing")) },
          { path: "/explore", ...page(() => import("./features/creator/explore")) },
          { path: "/login", ...page(() => import("./features/account/login")) },
          { path: "/signup", ...page(() => import("./features/account/signup")) },
          { path: "/forgot", ...page(() => import("./features/account/forgot")) },
          { path: "/reset", ...page(() => import("./features/account/reset")) },
          { path: "/verify", ...page(() => import("./features/account/verify")) },
          { path: "/p/:post", ...page(() => import("./features/post/post-page")) },
          {
            element: <Guard />,
            children: [
              { path: "/feed", ...page(() => import("./features/post/feed")) },
              { path: "/become", ...page(() => import("./features/creator/become")) },
              {
                path: "/subscriptions",
                ...page(() => import("./features/subscription/subscriptions")),
              },
              {
                path: "/checkout/return",
                ...page(() => import("./features/subscription/checkout-return")),
              },
              { path: "/settings", ...page(() => import("./features/account/settings")) },
              { path: "/settings/sessions", ...page(() => import("./features/account/sessions")) },
            ],
          },
          {
            element: <Guard creator />,
            children: [
              { path: "/studio/compose", ...page(() => import("./features/post/compose")) },
              {
                element: <StudioFrame />,
                children: [
                  { path: "/studio", ...page(() => import("./features/creator/studio")) },
                  { path: "/studio/posts", ...page(() => import("./features/post/studio-posts")) },
                  { path: "/studio/tiers", ...page(() => import("./features/creator/tiers")) },
                  {
                    path: "/studio/subscribers",
                    ...page(() => import("./features/subscription/subscribers")),
                  },
                  { path: "/studio/earnings", ...page(() => import("./features/ledger/earnings")) },
                  { path: "/studio/profile", ...page(() => import("./features/creator/profile")) },
                ],
              },
            ],
          },
          /* "/@ana": the router takes whole segments only, so the page itself looks for the @. */
          { path: "/:at", ...page(() => import("./features/creator/creator-page")) },
          { path: "*", element: <NotFound /> },
        ],
      },
    ],
  },
]);
