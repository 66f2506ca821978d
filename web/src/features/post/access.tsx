/* access.tsx -- who may see a post, in words. */
/* SPDX-License-Identifier: Apache-2.0 */
import { Globe, Ticket, Users, type LucideIcon } from "lucide-react";
import type { Post } from "@/api/schema";
import { Badge } from "@/ui/page";

export const accessWords: Record<Post["access"], { label: string; icon: LucideIcon }> = {
  public: { label: "Everyone", icon: Globe },
  followers: { label: "Followers", icon: Users },
  tiers: { label: "Subscribers", icon: Ticket },
};

export function AccessBadge({ post }: { post: Post }) {
  const { label, icon: Icon } = accessWords[post.access];
  const names = post.access === "tiers" ? post.tiers.map((tier) => tier.name).join(", ") : "";
  return (
    <Badge tone={post.access === "tiers" ? "lamp" : "plain"}>
      <Icon aria-hidden />
      <span className="min-w-0 truncate">{names || label}</span>
    </Badge>
  );
}
