// Windows (modals) and App Home: blocks with values that live until they are sent.

import { useEffect, useRef, useState } from "react";

import { Blocks } from "./blocks";
import { useActing } from "./person";
import type { Values, View } from "./sandbox";

function useValues(view: View): [Values, (block_id: string, action_id: string, value: unknown) => void] {
  const [values, setValues] = useState<Values>({});
  useEffect(() => setValues({}), [view.id]);
  // as Slack does: what was put into a block goes with the block
  useEffect(() => {
    const there = new Set(view.blocks.map((block) => block.block_id));
    setValues((old) => Object.fromEntries(Object.entries(old).filter(([block_id]) => there.has(block_id))));
  }, [view.hash]);
  const set = (block_id: string, action_id: string, value: unknown) =>
    setValues((old) => ({ ...old, [block_id]: { ...old[block_id], [action_id]: value } }));
  return [values, set];
}

export function Modal({ view }: { view: View }) {
  const { act } = useActing();
  const dialog = useRef<HTMLDialogElement>(null);
  const [values, set] = useValues(view);
  const [busy, setBusy] = useState(false);
  const [trouble, setTrouble] = useState<string | null>(null);
  useEffect(() => {
    if (!dialog.current?.open) dialog.current?.showModal();
    // the browser would begin at the button that dismisses
    dialog.current?.querySelector<HTMLElement>(".body")?.focus();
  }, [view.id]);

  const submit = async () => {
    setTrouble(null);
    setBusy(true);
    const outcome = await act("submit", { view_id: view.id, values });
    setBusy(false);
    if (outcome.error && outcome.error !== "missing_input") setTrouble(outcome.message);
  };
  const close = () => void act("close", { view_id: view.id });

  return (
    <dialog
      ref={dialog}
      className="modal"
      aria-label={view.title?.text}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <header>
          <h2>{view.title?.text}</h2>
          <button type="button" className="icon" aria-label="Dismiss" onClick={close}>
            ✕
          </button>
        </header>
        <div className="body" tabIndex={-1}>
          {trouble && <p role="alert" className="trouble">{trouble}</p>}
          <Blocks blocks={view.blocks} place={{ at: { view_id: view.id }, values, set, errors: view.errors }} />
        </div>
        <footer>
          <button type="button" className="button" onClick={close}>
            {view.close?.text ?? (view.submit ? "Cancel" : "Close")}
          </button>
          {view.submit && (
            <button type="submit" className="button primary" aria-busy={busy}>
              {view.submit.text}
            </button>
          )}
        </footer>
      </form>
    </dialog>
  );
}

export function HomePane({ view }: { view: View | null }) {
  return (
    <div className="home" role="region" aria-label="App Home">
      {view ? <HomeBlocks view={view} /> : <p className="empty">costbot has not published a Home page yet.</p>}
    </div>
  );
}

function HomeBlocks({ view }: { view: View }) {
  const [values, set] = useValues(view);
  return <Blocks blocks={view.blocks} place={{ at: { view_id: view.id }, values, set }} />;
}
