/* profile.tsx -- editing the creator's page: pictures, name, handle, words. */
/* SPDX-License-Identifier: Apache-2.0 */
import { useQueryClient } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { api } from "@/api/client";
import { forget, remember, useGet } from "@/api/query";
import type { Creator } from "@/api/schema";
import { PictureButtons, usePicture } from "@/features/media/picture-field";
import { Avatar } from "@/ui/avatar";
import { Button, ButtonLink } from "@/ui/button";
import { Field, TextArea } from "@/ui/field";
import { Form, useForm } from "@/ui/form";
import { Card, PageHead, useTitle } from "@/ui/page";
import { Failed, Loading, Skeleton } from "@/ui/state";
import { toast } from "@/ui/toast";
import { Banner } from "./banner";
import { HandleField } from "./handle";

function Pictures({ creator }: { creator: Creator }) {
  const avatar = usePicture("avatar");
  const banner = usePicture("banner");
  return (
    <Card className="overflow-hidden" aria-labelledby="pictures">
      <h2 id="pictures" className="sr-only">
        Pictures
      </h2>
      <Banner
        creator={{ handle: creator.handle, banner_url: banner.preview ?? creator.banner_url }}
        className="h-36 sm:h-48"
      />
      <div className="grid gap-5 px-5 pb-6 sm:px-7">
        <Avatar
          name={creator.name}
          handle={creator.handle}
          src={avatar.preview ?? creator.avatar_url}
          className="relative -mt-12 size-24 border-4 border-surface text-3xl"
        />
        <div className="grid gap-5 sm:grid-cols-2">
          <div>
            <h3 className="text-sm font-medium">Picture</h3>
            <p className="mb-3 text-sm text-muted">Square, at least 400 pixels wide.</p>
            <PictureButtons picture={avatar} has={Boolean(creator.avatar_url)} what="picture" />
          </div>
          <div>
            <h3 className="text-sm font-medium">Banner</h3>
            <p className="mb-3 text-sm text-muted">Wide, about four to one.</p>
            <PictureButtons picture={banner} has={Boolean(creator.banner_url)} what="banner" />
          </div>
        </div>
      </div>
    </Card>
  );
}

function Words({ creator }: { creator: Creator }) {
  const client = useQueryClient();
  const { name, handle, bio } = creator;
  const form = useForm({ name, handle, bio }, async (typed) => {
    const saved = await api("PATCH /v1/creators/me", {
      body: { ...typed, name: typed.name.trim(), bio: typed.bio.trim() },
    });
    remember(client, "GET /v1/creators/me", undefined, saved);
    void forget(client, "/v1/creators", "/v1/feed", "/v1/posts");
    toast.done("Saved");
  });
  const typed = form.values;
  const same = typed.name.trim() === name && typed.handle === handle && typed.bio.trim() === bio;
  return (
    <Card className="p-5 sm:p-7">
      <Form form={form} label="Your page">
        <Field label="Name" {...form.field("name")} required maxLength={60} />
        <HandleField {...form.field("handle")} />
        {typed.handle !== handle && (
          <p className="-mt-2 text-sm text-muted">
            Links to @{handle} will stop working, and somebody else may take that handle.
          </p>
        )}
        <TextArea label="About you" {...form.field("bio")} maxLength={1000} />
        <div className="flex justify-end">
          <Button type="submit" look="lamp" busy={form.busy} disabled={same}>
            Save
          </Button>
        </div>
      </Form>
    </Card>
  );
}

export default function Profile() {
  useTitle("Your page");
  const creator = useGet("GET /v1/creators/me", undefined);
  return (
    <>
      <PageHead
        title="Profile"
        action={
          creator.data && (
            <ButtonLink to={`/@${creator.data.handle}`}>
              <ExternalLink aria-hidden /> Your page
            </ButtonLink>
          )
        }
      />
      {creator.data ? (
        <div className="grid gap-5">
          <Pictures creator={creator.data} />
          <Words key={creator.data.id} creator={creator.data} />
        </div>
      ) : creator.isError ? (
        <Failed error={creator.error} retry={() => void creator.refetch()} what="your page" />
      ) : (
        <Loading className="grid gap-5">
          <Skeleton className="h-80" />
          <Skeleton className="h-72" />
        </Loading>
      )}
    </>
  );
}
