// The page of the sandbox workspace: be one of its people, read, click and type as in Slack.

import { useCallback, useEffect, useMemo, useState } from "react";
import { createRoot } from "react-dom/client";

import "slack-blocks-to-jsx/dist/style.css";
import "./page.css";
import { Avatar, ConversationPane, ThreadPane, idOf } from "./messages";
import { ActingContext } from "./person";
import { type Conversation, type Seen, act as send, see } from "./sandbox";
import { HomePane, Modal } from "./windows";
import { WorkflowsPane } from "./workflows";

const FIRST = "dana.whitfield@kestrelbuilders.example";
const HOME = "home";
const WORKFLOWS = "workflows";

// Where an address of a message points, as chat.getPermalink gives it: `#/C0COSTCODES/p1764000000000000`.
function pointedAt(hash: string): { channel: string; id: string } | null {
  const [, channel, id] = /^#\/(\w+)\/(p\d+)$/.exec(hash) ?? [];
  return channel && id ? { channel, id } : null;
}

function useSeen(who: string): [Seen | null, boolean] {
  const [seen, setSeen] = useState<Seen | null>(null);
  const [lost, setLost] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    const watch = async () => {
      let version: number | null = null;
      while (!stop.signal.aborted) {
        try {
          const now: Seen = await see(who, version, stop.signal);
          version = now.version;
          setSeen(now);
          setLost(false);
        } catch {
          if (stop.signal.aborted) return;
          version = null;
          setLost(true);
          await new Promise((resume) => setTimeout(resume, 1000));
        }
      }
    };
    void watch();
    return () => stop.abort();
  }, [who]);
  return [seen, lost];
}

function Page() {
  const [who, setWho] = useState(() => new URLSearchParams(location.search).get("as") ?? FIRST);
  const [seen, lost] = useSeen(who);
  const [place, setPlace] = useState("");
  const [thread, setThread] = useState<string | null>(null);
  const [menu, setMenu] = useState(false);
  const [pointed, setPointed] = useState(() => pointedAt(location.hash));
  const [toasts, setToasts] = useState<{ id: number; text: string }[]>([]);
  const [read, setRead] = useState<Record<string, string>>({});

  const toast = useCallback((text: string) => {
    const id = Date.now() + Math.random();
    setToasts((old) => [...old, { id, text }]);
    setTimeout(() => setToasts((old) => old.filter((one) => one.id !== id)), 8000);
  }, []);
  const act = useCallback((what: string, body: object) => send(who, what, body), [who]);
  const acting = useMemo(() => seen && { seen, act, toast }, [seen, act, toast]);

  useEffect(() => {
    const turn = () => setPointed(pointedAt(location.hash));
    // an address of this page opens here, for the person who is on it
    const stay = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest("a") : null;
      if (!link || link.origin !== location.origin || !pointedAt(link.hash)) return;
      event.preventDefault();
      link.closest("dialog")?.querySelector<HTMLElement>("[aria-label=Dismiss]")?.click();
      if (link.hash === location.hash) turn();
      else location.hash = link.hash;
    };
    addEventListener("hashchange", turn);
    addEventListener("click", stay);
    return () => {
      removeEventListener("hashchange", turn);
      removeEventListener("click", stay);
    };
  }, []);

  const conversations = seen?.conversations ?? [];
  const conversation = conversations.find((one) => one.id === place) ?? conversations[0];
  const atHome = place === HOME;
  const atWorkflows = place === WORKFLOWS;
  const isThere = pointed !== null && conversations.some((one) => one.id === pointed.channel);
  useEffect(() => {
    const there = pointed && conversations.find((one) => one.id === pointed.channel);
    if (!there) return;
    const message = there.messages.find((one) => idOf(one.ts) === pointed.id);
    setPlace(there.id);
    setThread(message?.thread_ts && message.thread_ts !== message.ts && !message.broadcast ? message.thread_ts : null);
    setMenu(false);
  }, [pointed, isThere]);
  const newest = conversation?.messages.at(-1)?.ts;
  useEffect(() => {
    if (conversation && newest && !atHome && !atWorkflows) setRead((old) => ({ ...old, [`${who} ${conversation.id}`]: newest }));
  }, [who, conversation?.id, newest, atHome, atWorkflows]);

  const be = (id: string) => {
    setWho(id);
    setPointed(null);
    setThread(null);
    setMenu(false);
    if (place.startsWith("D")) setPlace("");
    if (atHome) void send(id, "home", {});
    history.replaceState(null, "", `?as=${encodeURIComponent(id)}`);
  };
  const go = (to: string) => {
    setPlace(to);
    setPointed(null);
    setThread(null);
    if (location.hash) history.replaceState(null, "", location.pathname + location.search);
    setMenu(false);
    if (to === HOME) void act("home", {}).then((outcome) => outcome.error && toast(outcome.message ?? outcome.error));
  };

  if (!seen || !acting) return <p className="empty">{lost ? "The sandbox does not answer." : "Opening…"}</p>;
  const me = seen.users[seen.me];
  const unread = (one: Conversation) =>
    one.messages.filter((m) => m.user !== seen.me && m.ts > (read[`${who} ${one.id}`] ?? "")).length;
  const title = atWorkflows ? "Workflows" : atHome ? "costbot" : conversation?.is_im ? "costbot" : `# ${conversation?.name ?? ""}`;
  const open = atHome || atWorkflows ? null : conversation;

  return (
    <ActingContext.Provider value={acting}>
      <div className={`page ${menu ? "menu-open" : ""} ${thread && open ? "with-thread" : ""}`}>
        <nav className="sidebar" aria-label="Workspace">
          <header>
            <h1>{seen.workspace.name}</h1>
            <p className={seen.bot.connected ? "status on" : "status"}>
              {seen.bot.connected ? "costbot is connected" : "costbot is away"}
            </p>
          </header>
          <section aria-label="You are">
            <h2>You are</h2>
            {Object.values(seen.users)
              .filter((user) => user.is_person)
              .map((user) => (
                <button
                  key={user.id}
                  type="button"
                  className="person"
                  aria-pressed={user.id === seen.me}
                  onClick={() => be(user.id)}
                >
                  <Avatar user={user} size="small" />
                  <span>
                    {user.real_name}
                    <small>{user.title}</small>
                  </span>
                </button>
              ))}
          </section>
          <section aria-label="Channels">
            <h2>Channels</h2>
            {conversations.filter((one) => !one.is_im).map((one) => (
              <Entry key={one.id} label={`# ${one.name}`} unread={unread(one)} here={one === open} go={() => go(one.id)} />
            ))}
          </section>
          <section aria-label="Apps">
            <h2>Apps</h2>
            <Entry label="costbot Home" unread={0} here={atHome} go={() => go(HOME)} />
            <Entry label="Workflows" unread={0} here={atWorkflows} go={() => go(WORKFLOWS)} />
            {conversations.filter((one) => one.is_im).map((one) => (
              <Entry key={one.id} label="costbot Messages" unread={unread(one)} here={one === open} go={() => go(one.id)} />
            ))}
          </section>
          {Object.keys(seen.beside).length > 0 && (
            <section aria-label="Beside Slack">
              <h2>Beside Slack</h2>
              {Object.entries(seen.beside).map(([name, address]) => (
                <a key={address} className="entry" href={address}>
                  {name}
                </a>
              ))}
            </section>
          )}
        </nav>
        <main>
          <header>
            <button type="button" className="icon hamburger" aria-label="Open menu" onClick={() => setMenu(true)}>
              ☰
            </button>
            <h2>{title}</h2>
            <span className="as">
              <Avatar user={me} size="small" /> {me?.real_name}
            </span>
          </header>
          {lost && <p role="alert" className="trouble">The sandbox does not answer. Trying again…</p>}
          {atHome && <HomePane view={seen.home} />}
          {atWorkflows && <WorkflowsPane key={who} />}
          {open && <ConversationPane key={`${who} ${open.id}`} conversation={open} openThread={setThread} pointed={pointed} />}
        </main>
        {thread && open && <ThreadPane conversation={open} ts={thread} close={() => setThread(null)} pointed={pointed} />}
        <button type="button" className="scrim" aria-label="Close menu" onClick={() => setMenu(false)} />
      </div>
      {seen.modal && <Modal view={seen.modal} />}
      <div className="toasts">
        {toasts.map((one) => (
          <p key={one.id} role="alert">⚠️ {one.text}</p>
        ))}
      </div>
    </ActingContext.Provider>
  );
}

function Entry({ label, unread, here, go }: { label: string; unread: number; here: boolean; go: () => void }) {
  return (
    <button type="button" className={`entry ${unread ? "unread" : ""}`} aria-current={here ? "page" : undefined} onClick={go}>
      <span>{label}</span>
      {unread > 0 && !here && <span className="count" aria-label={`${unread} unread`}>{unread}</span>}
    </button>
  );
}

createRoot(document.getElementById("root") as HTMLElement).render(<Page />);
