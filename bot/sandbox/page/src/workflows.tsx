// Workflows: the one that asks for a cost code update and waits for it, run as a person, and how far each run is.

import { type FormEvent, useState } from "react";

import { Mrkdwn } from "./mrkdwn";
import { useActing } from "./person";
import type { Run, Step } from "./sandbox";

const STATES: Record<Step["state"], string> = {
  running: "Waits",
  completed: "Done",
  failed: "Failed",
  stopped: "Stopped",
};

export function WorkflowsPane() {
  const { seen, act, toast } = useActing();
  const [busy, setBusy] = useState(false);
  const run = async (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = Object.fromEntries(new FormData(event.currentTarget));
    setBusy(true);
    const outcome = await act("run-workflow", given);
    setBusy(false);
    if (outcome.error) toast(outcome.message ?? outcome.error);
  };
  return (
    <div className="home" role="region" aria-label="Workflows">
      <h3>Ask for cost codes, then wait</h3>
      <p className="quiet">Slack's Workflow Builder would run these two steps of costbot one after the other.</p>
      <form className="workflow" onSubmit={(event) => void run(event)}>
        <div className="input">
          <label htmlFor="workflow-job">Job number</label>
          <input id="workflow-job" name="job" placeholder="24-017" required />
        </div>
        <div className="input">
          <label htmlFor="workflow-lines">Cost codes</label>
          <textarea id="workflow-lines" name="lines" rows={4} placeholder="03-3000 L,M" required />
        </div>
        <div className="input">
          <label htmlFor="workflow-note">Note to the approver <span className="quiet">(optional)</span></label>
          <input id="workflow-note" name="note" />
        </div>
        <div className="input">
          <label htmlFor="workflow-until">Wait for</label>
          <select id="workflow-until" name="until">
            <option>Update</option>
            <option>synced</option>
          </select>
        </div>
        <button type="submit" className="button primary" aria-busy={busy}>Run workflow</button>
      </form>
      {[...seen.runs].reverse().map((one) => <RunCard key={one.id} run={one} />)}
    </div>
  );
}

function RunCard({ run }: { run: Run }) {
  const { act } = useActing();
  const isRunning = run.steps.some((step) => step.state === "running");
  return (
    <section className="run" aria-label="Workflow">
      <ol>
        {run.steps.map((step) => (
          <li key={step.id}>
            <p><strong>{step.title}</strong> <span className={`state ${step.state}`}>{STATES[step.state]}</span></p>
            {step.error && <p className="words">{step.error}</p>}
            {typeof step.outputs.message === "string" && <p className="words">{step.outputs.message}</p>}
            {step.outputs.link && <Mrkdwn text={`<${step.outputs.link}|Open the card>`} />}
          </li>
        ))}
      </ol>
      {isRunning && (
        <button type="button" className="button" onClick={() => void act("stop-workflow", { run_id: run.id })}>
          Stop
        </button>
      )}
    </section>
  );
}
