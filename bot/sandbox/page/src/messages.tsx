// A conversation: its messages, threads, and the box to type in.

import { type FormEvent, type KeyboardEvent, type ReactNode, useEffect, useRef, useState } from "react";

import { Blocks } from "./blocks";
import { Mrkdwn } from "./mrkdwn";
import { clock, readingOf, useActing } from "./person";
import type { Conversation, Message, Shortcut, User } from "./sandbox";

export function Avatar({ user, size = "" }: { user?: User; size?: string }) {
  if (user?.is_bot) {
    return (
      <span className={`avatar bot ${size}`} aria-hidden="true">
        <svg viewBox="0 0 32 32">
          <path d="M8 8h16v4H8zm0 6h16v4H8zm0 6h10v4H8z" fill="currentColor" />
        </svg>
      </span>
    );
  }
  const name = user?.real_name ?? "?";
  const initials = name.split(" ").map((word) => word[0]).slice(0, 2).join("");
  const hue = [...name].reduce((sum, letter) => sum + letter.charCodeAt(0) * 7, 0) % 360;
  return (
    <span className={`avatar ${size}`} style={{ background: `hsl(${hue} 42% 42%)` }} aria-hidden="true">
      {initials}
    </span>
  );
}

// The message that an address points at; a new one each time somebody follows an address.
export type Pointed = { id: string } | null;

export function idOf(ts: string): string {
  return `p${ts.replace(".", "")}`;
}

export function ConversationPane({ conversation, openThread, pointed }: {
  conversation: Conversation;
  openThread: (ts: string) => void;
  pointed: Pointed;
}) {
  const { seen } = useActing();
  const other = conversation.members.find((id) => id !== seen.me) ?? "";
  const name = conversation.is_im ? (seen.users[other]?.real_name ?? "") : `#${conversation.name}`;
  const shown = conversation.messages.filter((m) => !m.thread_ts || m.thread_ts === m.ts || m.broadcast);
  return (
    <>
      <Log label={`Messages in ${name}`} messages={shown} pointed={pointed}>
        {shown.length === 0 && <p className="empty">Nothing here yet. Try <code>/costcodes help</code>.</p>}
        {shown.map((message) => (
          <OneMessage key={message.ts} message={message} conversation={conversation} openThread={openThread} />
        ))}
      </Log>
      {conversation.is_archived ? (
        <p className="archived">This channel is archived.</p>
      ) : (
        <Composer label={`Message ${name}`} channel={conversation.id} />
      )}
    </>
  );
}

export function ThreadPane({ conversation, ts, close, pointed }: {
  conversation: Conversation;
  ts: string;
  close: () => void;
  pointed: Pointed;
}) {
  const messages = conversation.messages.filter((m) => m.ts === ts || m.thread_ts === ts);
  return (
    <aside className="thread" aria-label="Thread">
      <header>
        <h2>Thread</h2>
        <button type="button" className="icon" aria-label="Close thread" onClick={close}>
          ✕
        </button>
      </header>
      <Log label="Messages in thread" messages={messages} pointed={pointed}>
        {messages.map((message) => (
          <OneMessage key={message.ts} message={message} conversation={conversation} />
        ))}
      </Log>
      <Composer label="Reply" channel={conversation.id} thread_ts={ts} />
    </aside>
  );
}

// Keeps the newest message in view, as long as the reader has not scrolled up; an answer to the reader alone always is.
function Log({ label, messages, pointed, children }: {
  label: string;
  messages: Message[];
  pointed: Pointed;
  children: ReactNode;
}) {
  const log = useRef<HTMLDivElement>(null);
  const stuck = useRef(true);
  const before = useRef(0);
  const newest = messages.at(-1)?.ts;
  const answer = messages.filter((message) => message.is_ephemeral).at(-1)?.ts;
  useEffect(() => {
    if (answer) stuck.current = true;
  }, [answer]);
  useEffect(() => {
    const message = pointed && log.current?.querySelector<HTMLElement>(`[data-id="${pointed.id}"]`);
    for (const old of log.current?.querySelectorAll(".pointed") ?? []) old.classList.remove("pointed");
    if (!message) return;
    stuck.current = false;
    message.classList.add("pointed");
    // what is taller than the screen begins at its top
    const isTall = message.offsetHeight > (log.current?.clientHeight ?? 0);
    message.scrollIntoView({ block: isTall ? "start" : "center" });
  }, [pointed]);
  useEffect(() => {
    const element = log.current;
    if (element && stuck.current) element.scrollTop = element.scrollHeight;
  }, [newest, answer]);
  useEffect(() => {
    const element = log.current;
    if (!element) return;
    const observer = new ResizeObserver(() => {
      if (stuck.current) element.scrollTop = element.scrollHeight;
    });
    for (const child of element.children) observer.observe(child);
    return () => observer.disconnect();
  }, [newest]);
  return (
    <div
      className="log"
      role="log"
      aria-label={label}
      tabIndex={0}
      ref={log}
      onScroll={(e) => {
        const { scrollHeight, scrollTop, clientHeight } = e.currentTarget;
        // what grows below the reader is no scrolling up of theirs
        if (scrollHeight - scrollTop - clientHeight < 60) stuck.current = true;
        else if (scrollTop < before.current) stuck.current = false;
        before.current = scrollTop;
      }}
    >
      {children}
    </div>
  );
}

function OneMessage({ message, conversation, openThread }: {
  message: Message;
  conversation: Conversation;
  openThread?: (ts: string) => void;
}) {
  const { seen } = useActing();
  const author = seen.users[message.user];
  const time = clock(message.ts, readingOf(seen));
  const answers = conversation.messages.filter((m) => m.thread_ts === message.ts && m.ts !== message.ts);
  const place = { at: { channel: conversation.id, ts: message.ts } };
  return (
    <article
      className={`message ${message.is_ephemeral ? "ephemeral" : ""}`}
      aria-label={`${author?.real_name ?? "Somebody"}, ${time}`}
      data-id={idOf(message.ts)}
    >
      <Avatar user={author} />
      <div className="content">
        {message.is_ephemeral && <p className="note">👁 Only visible to you</p>}
        {message.broadcast && openThread && <p className="note">↳ replied to a thread</p>}
        <p className="by">
          <strong>{author?.real_name}</strong>
          {author?.is_bot && <span className="badge">APP</span>}
          <time>{time}</time>
        </p>
        {message.blocks.length > 0 ? (
          <Blocks blocks={message.blocks} place={place} />
        ) : (
          message.text && <Mrkdwn text={message.text} />
        )}
        {message.attachments.map((attachment, index) => (
          <div key={index} className="attachment" style={{ borderColor: attachment.color }}>
            {attachment.blocks ? (
              <Blocks blocks={attachment.blocks} place={place} />
            ) : (
              <Mrkdwn text={attachment.text ?? ""} />
            )}
          </div>
        ))}
        {message.edited && <span className="quiet edited">(edited)</span>}
        {answers.length > 0 && openThread && (
          <button type="button" className="replies" onClick={() => openThread(message.ts)}>
            <Avatar user={seen.users[answers.at(-1)?.user ?? ""]} size="small" />
            {answers.length === 1 ? "1 reply" : `${answers.length} replies`}
            <span className="quiet">Last reply {clock(answers.at(-1)?.ts ?? "0", readingOf(seen))}</span>
          </button>
        )}
      </div>
      {!message.is_ephemeral && <Shortcuts type="message" at={place.at} />}
    </article>
  );
}

// The app's shortcuts: of one message, or beside the box to type in.
function Shortcuts({ type, at }: { type: Shortcut["type"]; at: object }) {
  const { seen, act, toast } = useActing();
  const [open, setOpen] = useState(false);
  const pick = async (callback_id: string) => {
    setOpen(false);
    const outcome = await act("shortcut", { callback_id, ...at });
    if (outcome.error) toast(outcome.message ?? outcome.error);
  };
  return (
    <div className={`overflow ${type}`} onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setOpen(false)}>
      <button
        type="button"
        className="icon"
        aria-label={type === "message" ? "Message shortcuts" : "Shortcuts"}
        aria-haspopup="menu"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {type === "message" ? "⋮" : "⚡"}
      </button>
      {open && (
        <div role="menu">
          {seen.shortcuts.filter((one) => one.type === type).map((one) => (
            <button key={one.callback_id} type="button" role="menuitem" onClick={() => void pick(one.callback_id)}>
              {one.name}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Composer({ label, channel, thread_ts }: { label: string; channel: string; thread_ts?: string }) {
  const { act, toast } = useActing();
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async () => {
    const typed = text.trim();
    if (!typed || busy) return;
    setText("");
    setBusy(true);
    if (typed.startsWith("/")) {
      const outcome = await act("slash", { text: typed, channel });
      if (outcome.refused) toast(outcome.message ?? "");
    } else {
      const outcome = await act("say", { text: typed, channel, thread_ts });
      if (outcome.error && outcome.error !== "dispatch_failed") toast(outcome.message ?? outcome.error);
    }
    setBusy(false);
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    void send();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    void send();
  };
  return (
    <form className="composer" onSubmit={onSubmit}>
      {!thread_ts && <Shortcuts type="global" at={{}} />}
      <textarea
        aria-label={label}
        placeholder={thread_ts ? "Reply…" : `${label}, or try /costcodes help`}
        rows={1}
        value={text}
        onChange={(e) => setText(e.target.value)}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="send" aria-label="Send" aria-busy={busy} disabled={!text.trim()}>
        ➤
      </button>
    </form>
  );
}
