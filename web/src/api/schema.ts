/* schema.ts -- the shapes and routes of the HTTP API. Printed by `stagedoor typescript`; never edited. */
/* SPDX-License-Identifier: Apache-2.0 */

export type ErrorCode =
  | "internal"
  | "invalid"
  | "bad_json"
  | "unknown_member"
  | "signed_out"
  | "forbidden"
  | "cross_site"
  | "not_found"
  | "method_not_allowed"
  | "timeout"
  | "precondition_failed"
  | "too_large"
  | "uri_too_long"
  | "unsupported_type"
  | "headers_too_large"
  | "not_implemented"
  | "http_version"
  | "rate_limited"
  | "key_required"
  | "key_reused"
  | "key_in_use"
  | "busy"
  | "unavailable"
  | "no_memory"
  | "storage_full"
  | "no_such_part"
  | "taken"
  | "conflict"
  | "wrong_password"
  | "weak_password"
  | "token_spent"
  | "not_creator"
  | "below_minimum"
  | "unsupported_image"
  | "not_ready"
  | "provider_unavailable"
  | "already_subscribed"
  | "bad_signature"
  | "expired";

export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail?: string;
  field?: string;
  request?: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface EventsQuery {
  after?: string;
}

export interface PageQuery {
  cursor?: string;
  limit?: number;
}

export interface AuditRecord {
  id: string;
  at: string;
  actor?: string;
  action: string;
  object?: string;
  detail: string;
  address: string;
  position?: number;
  hash?: string;
}

export interface SignUp {
  email: string;
  password: string;
  name: string;
}

export interface Me {
  id: string;
  email: string;
  name: string;
  email_verified: boolean;
  role: "user" | "moderator" | "admin";
  creator: boolean;
  created: string;
}

export interface MeEdit {
  name?: string;
}

export interface AccountQuery {
  email?: string;
  cursor?: string;
  limit?: number;
}

export interface Login {
  email: string;
  password: string;
  kind?: "cookie" | "bearer";
}

export interface SessionMade {
  id: string;
  kind: "cookie" | "bearer";
  token?: string;
  created: string;
  expires: string;
}

export interface Session {
  id: string;
  kind: "cookie" | "bearer";
  current: boolean;
  created: string;
  seen: string;
  agent: string;
  address: string;
}

export interface SessionRef {
  session: string;
}

export interface TokenConfirm {
  token: string;
}

export interface ResetRequest {
  email: string;
}

export interface ResetConfirm {
  token: string;
  password: string;
}

export interface CreatorNew {
  handle: string;
  name: string;
  bio: string;
}

export interface Tier {
  id: string;
  name: string;
  description: string;
  price: number;
  currency: string;
  archived: boolean;
}

export interface Creator {
  id: string;
  handle: string;
  name: string;
  bio: string;
  avatar_url?: string;
  banner_url?: string;
  followers: number;
  posts: number;
  following: boolean;
  own: boolean;
  tiers: Tier[];
  created: string;
}

export interface CreatorEdit {
  handle?: string;
  name?: string;
  bio?: string;
}

export interface HandleRef {
  handle: string;
}

export interface TierNew {
  name: string;
  description: string;
  price: number;
  currency: string;
}

export interface TierRef {
  tier: string;
}

export interface TierEdit {
  name?: string;
  description?: string;
  price?: number;
}

export interface CreatorCard {
  id: string;
  handle: string;
  name: string;
  avatar_url?: string;
}

export interface MediaQuery {
  purpose?: "post" | "avatar" | "banner";
  filename: string;
}

export interface Asset {
  id: string;
  purpose: "post" | "avatar" | "banner";
  state: "processing" | "ready" | "failed";
  progress: number;
  error?: string;
  filename: string;
  type?: string;
  bytes: number;
  width?: number;
  height?: number;
  alt: string;
  uses: number;
  teaser_url?: string;
  thumb_url?: string;
  feed_url?: string;
  full_url?: string;
  created: string;
}

export interface AssetPath {
  asset: string;
}

export interface AssetEdit {
  alt: string;
}

export interface PictureChoice {
  asset: string | null;
}

export interface PublicFile {
  asset: string;
  file: string;
}

export interface MediaProgress {
  asset: string;
  progress: number;
}

export interface AssetRef {
  asset: string;
}

export interface MediaFailed {
  asset: string;
  error: string;
}

export interface EarningsBalance {
  gross: number;
  currency: string;
  tax: number;
  fee: number;
  net: number;
  pending: number;
  available: number;
}

export interface Earnings {
  balances: EarningsBalance[];
  release_days: number;
}

export interface EarningsQuery {
  limit?: number;
  cursor?: string;
}

export interface EarningsEntry {
  id: string;
  kind: "subscription";
  gross: number;
  currency: string;
  tax: number;
  fee: number;
  net: number;
  description: string;
  created: string;
  available: string;
  released: boolean;
}

export interface EarningsDaysQuery {
  from?: string;
  to?: string;
}

export interface EarningsDay {
  day: string;
  gross: number;
  currency: string;
  tax: number;
  fee: number;
  net: number;
  sales: number;
}

export interface EarningsDays {
  from: string;
  to: string;
  days: EarningsDay[];
}

export interface LedgerLine {
  code: string;
  balance: number;
  currency: string;
  computed: number;
}

export interface LedgerCheck {
  good: boolean;
  unbalanced: number;
  drifted: number;
  overdrawn: number;
  misstated: number;
  journals: number;
  entries: number;
  accounts: LedgerLine[];
}

export interface Payment {
  id: string;
  kind: "subscription";
  amount: number;
  currency: string;
  state: "created" | "requires_action" | "processing" | "unknown" | "succeeded" | "declined" | "expired";
  description: string;
  decline?: string;
  checkout_url?: string;
  created: string;
}

export interface SubscriptionNew {
  tier: string;
  return_path?: string;
}

export interface Subscription {
  id: string;
  creator: CreatorCard;
  tier: Tier;
  price: number;
  currency: string;
  state: "incomplete" | "active" | "past_due" | "canceled" | "expired";
  cancel_at_period_end: boolean;
  period_start?: string;
  period_end?: string;
  checkout_url?: string;
  decline?: string;
  created: string;
}

export interface SubscriptionStarted {
  subscription: Subscription;
  checkout_url?: string;
}

export interface SubscriptionRef {
  subscription: string;
}

export interface AccountCard {
  id: string;
  name: string;
}

export interface StudioSubscriber {
  id: string;
  fan: AccountCard;
  tier: Tier;
  state: "incomplete" | "active" | "past_due" | "canceled" | "expired";
  price: number;
  currency: string;
  cancel_at_period_end: boolean;
  since: string;
  period_end: string;
}

export interface SubscriptionChanged {
  subscription: string;
  creator: string;
  state: "incomplete" | "active" | "past_due" | "canceled" | "expired";
}

export interface AssetFile {
  token: string;
  asset: string;
  file: string;
}

export interface PostNew {
  text?: string;
  access: "public" | "followers" | "tiers";
  tiers?: string[];
  media?: string[];
  publish?: boolean;
}

export interface PostMedia {
  id: string;
  type: string;
  width: number;
  height: number;
  alt: string;
  teaser_url: string;
  thumb_url?: string;
  feed_url?: string;
  full_url?: string;
}

export interface Post {
  id: string;
  creator: CreatorCard;
  text: string;
  access: "public" | "followers" | "tiers";
  tiers: Tier[];
  media: PostMedia[];
  locked: boolean;
  state: "draft" | "published";
  published?: string;
  created: string;
  edited?: string;
}

export interface PostPath {
  post: string;
}

export interface PostEdit {
  text?: string;
  access?: "public" | "followers" | "tiers";
  tiers?: string[];
  media?: string[];
}

export interface PostHandle {
  handle: string;
}

export interface StudioQuery {
  state?: "draft" | "published";
  cursor?: string;
  limit?: number;
}

export interface PostPublished {
  post: string;
  creator: string;
}

export interface ClockState {
  now: string;
  real: string;
  offset_s: number;
}

export interface ClockAdvance {
  advance_s: number;
}

export interface AccountRef {
  account: string;
}

export interface RoleSet {
  role: "user" | "moderator" | "admin";
}

export interface JobDead {
  id: string;
  kind: string;
  error: string;
  account?: string;
  created: string;
  finished: string;
}

export interface JobRef {
  job: string;
}

export interface Routes {
  "GET /v1/admin/audit": { params: {}; query: PageQuery; body: undefined; reply: Page<AuditRecord> };
  "POST /v1/accounts": { params: {}; query: {}; body: SignUp; reply: Me };
  "GET /v1/me": { params: {}; query: {}; body: undefined; reply: Me };
  "PATCH /v1/me": { params: {}; query: {}; body: MeEdit; reply: Me };
  "GET /v1/admin/accounts": { params: {}; query: AccountQuery; body: undefined; reply: Page<Me> };
  "POST /v1/sessions": { params: {}; query: {}; body: Login; reply: SessionMade };
  "GET /v1/sessions": { params: {}; query: PageQuery; body: undefined; reply: Page<Session> };
  "DELETE /v1/sessions": { params: {}; query: {}; body: undefined; reply: undefined };
  "DELETE /v1/sessions/current": { params: {}; query: {}; body: undefined; reply: undefined };
  "DELETE /v1/sessions/{session}": { params: SessionRef; query: {}; body: undefined; reply: undefined };
  "POST /v1/email-verifications": { params: {}; query: {}; body: undefined; reply: undefined };
  "POST /v1/email-verifications/confirm": { params: {}; query: {}; body: TokenConfirm; reply: undefined };
  "POST /v1/password-resets": { params: {}; query: {}; body: ResetRequest; reply: undefined };
  "POST /v1/password-resets/confirm": { params: {}; query: {}; body: ResetConfirm; reply: undefined };
  "POST /v1/creators": { params: {}; query: {}; body: CreatorNew; reply: Creator };
  "GET /v1/creators": { params: {}; query: PageQuery; body: undefined; reply: Page<Creator> };
  "GET /v1/creators/me": { params: {}; query: {}; body: undefined; reply: Creator };
  "PATCH /v1/creators/me": { params: {}; query: {}; body: CreatorEdit; reply: Creator };
  "GET /v1/creators/{handle}": { params: HandleRef; query: {}; body: undefined; reply: Creator };
  "POST /v1/creators/me/tiers": { params: {}; query: {}; body: TierNew; reply: Tier };
  "PATCH /v1/tiers/{tier}": { params: TierRef; query: {}; body: TierEdit; reply: Tier };
  "DELETE /v1/tiers/{tier}": { params: TierRef; query: {}; body: undefined; reply: undefined };
  "PUT /v1/creators/{handle}/follow": { params: HandleRef; query: {}; body: undefined; reply: Creator };
  "DELETE /v1/creators/{handle}/follow": { params: HandleRef; query: {}; body: undefined; reply: Creator };
  "GET /v1/follows": { params: {}; query: PageQuery; body: undefined; reply: Page<CreatorCard> };
  "POST /v1/media": { params: {}; query: MediaQuery; body: undefined; reply: Asset };
  "GET /v1/media": { params: {}; query: PageQuery; body: undefined; reply: Page<Asset> };
  "GET /v1/media/{asset}": { params: AssetPath; query: {}; body: undefined; reply: Asset };
  "PATCH /v1/media/{asset}": { params: AssetPath; query: {}; body: AssetEdit; reply: Asset };
  "DELETE /v1/media/{asset}": { params: AssetPath; query: {}; body: undefined; reply: undefined };
  "PUT /v1/creators/me/avatar": { params: {}; query: {}; body: PictureChoice; reply: Creator };
  "PUT /v1/creators/me/banner": { params: {}; query: {}; body: PictureChoice; reply: Creator };
  "GET /v1/studio/earnings": { params: {}; query: {}; body: undefined; reply: Earnings };
  "GET /v1/studio/earnings/entries": { params: {}; query: EarningsQuery; body: undefined; reply: Page<EarningsEntry> };
  "GET /v1/studio/earnings/days": { params: {}; query: EarningsDaysQuery; body: undefined; reply: EarningsDays };
  "GET /v1/admin/ledger/check": { params: {}; query: {}; body: undefined; reply: LedgerCheck };
  "GET /v1/payments": { params: {}; query: PageQuery; body: undefined; reply: Page<Payment> };
  "POST /v1/subscriptions": { params: {}; query: {}; body: SubscriptionNew; reply: SubscriptionStarted };
  "GET /v1/subscriptions": { params: {}; query: PageQuery; body: undefined; reply: Page<Subscription> };
  "GET /v1/subscriptions/{subscription}": { params: SubscriptionRef; query: {}; body: undefined; reply: Subscription };
  "POST /v1/subscriptions/{subscription}/cancel": { params: SubscriptionRef; query: {}; body: undefined; reply: Subscription };
  "POST /v1/subscriptions/{subscription}/resume": { params: SubscriptionRef; query: {}; body: undefined; reply: Subscription };
  "GET /v1/studio/subscribers": { params: {}; query: PageQuery; body: undefined; reply: Page<StudioSubscriber> };
  "POST /v1/posts": { params: {}; query: {}; body: PostNew; reply: Post };
  "PATCH /v1/posts/{post}": { params: PostPath; query: {}; body: PostEdit; reply: Post };
  "POST /v1/posts/{post}/publish": { params: PostPath; query: {}; body: undefined; reply: Post };
  "DELETE /v1/posts/{post}": { params: PostPath; query: {}; body: undefined; reply: undefined };
  "GET /v1/posts/{post}": { params: PostPath; query: {}; body: undefined; reply: Post };
  "GET /v1/creators/{handle}/posts": { params: PostHandle; query: PageQuery; body: undefined; reply: Page<Post> };
  "GET /v1/feed": { params: {}; query: PageQuery; body: undefined; reply: Page<Post> };
  "GET /v1/studio/posts": { params: {}; query: StudioQuery; body: undefined; reply: Page<Post> };
  "PUT /v1/admin/accounts/{account}/role": { params: AccountRef; query: {}; body: RoleSet; reply: undefined };
  "GET /v1/admin/jobs/dead": { params: {}; query: PageQuery; body: undefined; reply: Page<JobDead> };
  "POST /v1/admin/jobs/{job}/run": { params: JobRef; query: {}; body: undefined; reply: undefined };
}

/* What GET /v1/events tells, by its event name. */
export interface Events {
  "media.progress": MediaProgress;
  "media.ready": AssetRef;
  "media.failed": MediaFailed;
  "subscription.changed": SubscriptionChanged;
  "post.published": PostPublished;
}
