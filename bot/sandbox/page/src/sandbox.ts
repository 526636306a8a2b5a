// What the sandbox's control API gives and takes; see bot/sandbox/control.py and seen.py.

export type Text = { type: "plain_text" | "mrkdwn"; text: string };
export type Option = { text: Text; value: string; description?: Text };
export type Confirm = { title: Text; text: Text; confirm: Text; deny: Text; style?: "primary" | "danger" };
export type Element = {
  type: string;
  action_id: string;
  text?: Text;
  value?: string;
  url?: string;
  style?: "primary" | "danger";
  placeholder?: Text;
  options?: Option[];
  option_groups?: { label: Text; options: Option[] }[];
  confirm?: Confirm;
  multiline?: boolean;
  max_length?: number;
  max_selected_items?: number;
  filetypes?: string[];
  dispatch_action_config?: { trigger_actions_on?: ("on_enter_pressed" | "on_character_entered")[] };
  accessibility_label?: string;
  image_url?: string;
  alt_text?: string;
  [name: `initial_${string}`]: unknown;
};
export type Cell = { type: "raw_text" | "raw_number" | "rich_text"; text?: string; value?: number; elements?: unknown[] };
export type Block = {
  type: string;
  block_id: string;
  elements?: Element[];
  accessory?: Element;
  element?: Element;
  text?: Text;
  fields?: Text[];
  label?: Text;
  hint?: Text;
  optional?: boolean;
  dispatch_action?: boolean;
  rows?: Cell[][];
  column_settings?: ({ align?: "left" | "center" | "right"; is_wrapped?: boolean } | null)[];
};
export type Message = {
  ts: string;
  user: string;
  text: string;
  blocks: Block[];
  attachments: { blocks?: Block[]; text?: string; color?: string }[];
  thread_ts?: string;
  edited?: { ts: string };
  is_ephemeral: boolean;
  broadcast: boolean;
};
export type User = {
  id: string;
  name: string;
  real_name: string;
  title: string;
  is_bot: boolean;
  is_person: boolean;
  tz: string;
  locale: string;
};
export type Conversation = {
  id: string;
  name: string;
  is_im: boolean;
  is_archived: boolean;
  members: string[];
  messages: Message[];
};
export type View = {
  id: string;
  hash: string;
  title: Text | null;
  submit: Text | null;
  close: Text | null;
  blocks: Block[];
  errors: Record<string, string>;
};
export type Shortcut = { type: "global" | "message"; callback_id: string; name: string };
export type File = { id: string; name: string; size: number };
export type Step = {
  id: string;
  title: string;
  state: "running" | "completed" | "failed" | "stopped";
  outputs: Record<string, string | number | boolean>;
  error: string | null;
};
export type Run = { id: string; steps: Step[] };
export type Seen = {
  version: number;
  workspace: { id: string; name: string };
  beside: Record<string, string>;
  bot: { id: string; connected: boolean };
  me: string;
  shortcuts: Shortcut[];
  users: Record<string, User>;
  conversations: Conversation[];
  runs: Run[];
  modal: View | null;
  home: View | null;
};
// `refused`: the sandbox could not even try; else `error` is what came of it.
export type Outcome = {
  error: string | null;
  message: string | null;
  options: Option[] | null;
  file: File | null;
  refused?: boolean;
};
export type Values = Record<string, Record<string, unknown>>;

const REFUSALS: Record<string, string> = {
  message_not_found: "That message is no longer there.",
  not_found: "That window is no longer open.",
  not_in_channel: "You are not in that channel.",
  is_archived: "That channel is archived.",
};

export async function see(who: string, after: number | null, signal: AbortSignal): Promise<Seen> {
  const query = after === null ? "" : `?after=${after}`;
  const response = await fetch(`/sandbox/people/${encodeURIComponent(who)}${query}`, { signal });
  if (!response.ok) throw new Error(`the sandbox answered ${response.status}`);
  return (await response.json()) as Seen;
}

export async function act(who: string, what: string, body: object): Promise<Outcome> {
  const response = await fetch(`/sandbox/people/${encodeURIComponent(who)}/${what}`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const answer = (await response.json()) as Outcome;
  if (response.ok) return answer;
  const message = REFUSALS[answer.error ?? ""] ?? `Slack refuses that: ${answer.error}`;
  return { error: answer.error, message, options: null, file: null, refused: true };
}
