// Slack's mrkdwn, drawn by Slack's rules: `&lt;` is text and never markup, a mark formats only at the edge of words.
// (slack-blocks-to-jsx decodes entities first, so that `&lt;!channel&gt;` would become a mention.)

import { get as emojiNamed } from "node-emoji";
import { Fragment, type ReactNode } from "react";

import { readingOf, slackDate, useActing } from "./person";
import type { Seen, Text } from "./sandbox";

const INLINE = new RegExp(
  [
    "<([^<>\\n]+)>",
    "(?<![\\p{L}\\p{N}\\u200b`])`([^`\\n\\u200b]+)`(?![\\p{L}\\p{N}\\u200b`])",
    ":([\\w+-]+):",
    "(?<![\\p{L}\\p{N}\\u200b*])\\*(?=[^\\s*\\u200b])([^*\\n]*[^\\s*\\u200b])\\*(?![\\p{L}\\p{N}\\u200b*])",
    "(?<![\\p{L}\\p{N}\\u200b_])_(?=[^\\s_\\u200b])([^_\\n]*[^\\s_\\u200b])_(?![\\p{L}\\p{N}\\u200b_])",
    "(?<![\\p{L}\\p{N}\\u200b~])~(?=[^\\s~\\u200b])([^~\\n]*[^\\s~\\u200b])~(?![\\p{L}\\p{N}\\u200b~])",
  ].join("|"),
  "gu",
);

export function Words({ text }: { text: Text }) {
  if (text.type === "mrkdwn") return <Mrkdwn text={text.text} />;
  return <span className="words">{withEmoji(text.text)}</span>;
}

export function Mrkdwn({ text }: { text: string }) {
  const { seen } = useActing();
  return (
    <div className="words">
      {text.split(/```([\s\S]+?)```/).map((part, index) =>
        index % 2 ? <pre key={index}>{decoded(part.replace(/^\n|\n$/g, ""))}</pre> : <Fragment key={index}>{lines(part, seen)}</Fragment>,
      )}
    </div>
  );
}

function lines(text: string, seen: Seen): ReactNode[] {
  const quoted = (line: string) => /^\s*&gt;/.test(line);
  return text.split(/^((?:\s*&gt;.*\n?)+)/m).map((part, index) =>
    quoted(part) ? (
      <blockquote key={index}>{inline(part.replace(/^\s*&gt; ?/gm, "").trimEnd(), seen)}</blockquote>
    ) : (
      <Fragment key={index}>{inline(part, seen)}</Fragment>
    ),
  );
}

function inline(text: string, seen: Seen): ReactNode[] {
  const drawn: ReactNode[] = [];
  let end = 0;
  for (const match of text.matchAll(INLINE)) {
    const [whole, token, code, emoji, bold, italic, strike] = match;
    drawn.push(decoded(text.slice(end, match.index)));
    end = match.index + whole.length;
    const key = match.index;
    if (token) drawn.push(<Fragment key={key}>{special(token, seen)}</Fragment>);
    else if (code) drawn.push(<code key={key}>{decoded(code)}</code>);
    else if (emoji) drawn.push(emojiNamed(emoji) ?? whole);
    else if (bold) drawn.push(<strong key={key}>{inline(bold, seen)}</strong>);
    else if (italic) drawn.push(<em key={key}>{inline(italic, seen)}</em>);
    else if (strike) drawn.push(<s key={key}>{inline(strike, seen)}</s>);
  }
  drawn.push(decoded(text.slice(end)));
  return drawn;
}

// What stands between < and >: a mention, a date, or a link.
function special(token: string, seen: Seen): ReactNode {
  const [target = "", label] = token.split("|", 2);
  if (target.startsWith("@")) return <span className="mention">@{seen.users[target.slice(1)]?.real_name ?? target.slice(1)}</span>;
  if (target.startsWith("#")) {
    const channel = seen.conversations.find((one) => one.id === target.slice(1));
    return <span className="mention">#{channel?.name ?? label ?? target.slice(1)}</span>;
  }
  if (target.startsWith("!date^")) {
    const [, unix = "0", format = "", link] = target.split("^");
    const shown = <time>{slackDate(unix, format, readingOf(seen))}</time>;
    return link ? <Link href={link}>{shown}</Link> : shown;
  }
  if (target.startsWith("!")) return <span className="mention shout">@{label ?? target.slice(1)}</span>;
  return <Link href={decoded(target)}>{decoded(label ?? target.replace(/^mailto:/, ""))}</Link>;
}

function Link({ href, children }: { href: string; children: ReactNode }) {
  const safe = /^(https?|mailto):/i.test(href);
  return safe ? <a href={href} target="_blank" rel="noopener noreferrer">{children}</a> : <>{children}</>;
}

function withEmoji(text: string): string {
  return text.replace(/:([\w+-]+):/g, (whole, name: string) => emojiNamed(name) ?? whole);
}

function decoded(text: string): string {
  return text.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
}
