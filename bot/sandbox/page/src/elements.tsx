// The parts of Block Kit that a person uses: buttons, menus, boxes and inputs, with their confirm dialogs.

import { useEffect, useRef, useState } from "react";

import { Words } from "./mrkdwn";
import { type Place, useActing } from "./person";
import type { Block, Confirm, Element, Option } from "./sandbox";

type Props = { block: Block; element: Element; place: Place; id?: string };

export function Used({ block, element, place, id }: Props) {
  const { act, toast } = useActing();
  const [busy, setBusy] = useState(false);
  const [asked, setAsked] = useState<{ value: unknown } | null>(null);
  const isInput = block.type === "input";

  const send = async (value: unknown) => {
    setAsked(null);
    setBusy(true);
    const { block_id } = block;
    const { action_id } = element;
    const outcome = await act("click", { ...place.at, block_id, action_id, value, values: place.values ?? {} });
    setBusy(false);
    if (outcome.error) toast(outcome.message ?? outcome.error);
  };
  const use = (value: unknown, typing = false) => {
    place.set?.(block.block_id, element.action_id, value);
    if (isInput && (!block.dispatch_action || typing)) return;
    if (element.confirm) setAsked({ value });
    else void send(value);
  };
  const held = place.values?.[block.block_id]?.[element.action_id];

  return (
    <>
      <Control element={element} held={held} use={use} busy={busy} place={place} id={id} />
      {asked && element.confirm && (
        <Confirmation confirm={element.confirm} yes={() => void send(asked.value)} no={() => setAsked(null)} />
      )}
    </>
  );
}

type ControlProps = {
  element: Element;
  held: unknown;
  use: (value: unknown, typing?: boolean) => void;
  busy: boolean;
  place: Place;
  id?: string;
};

function Control(props: ControlProps) {
  const { element, held, use, busy, id } = props;
  const label = element.accessibility_label ?? element.placeholder?.text;
  switch (element.type) {
    case "button":
      return (
        <button
          type="button"
          className={`button ${element.style ?? ""}`}
          aria-label={element.accessibility_label}
          aria-busy={busy}
          onClick={() => {
            if (element.url) window.open(element.url, "_blank", "noopener");
            use(null);
          }}
        >
          {element.text?.text}
        </button>
      );
    case "overflow":
      return <Overflow options={element.options ?? []} use={use} busy={busy} />;
    case "static_select":
      return <Select {...props} label={label} />;
    case "external_select":
      return <ExternalSelect {...props} label={label} />;
    case "multi_external_select":
      return <ManyExternal {...props} label={label} />;
    case "file_input":
      return <FileInput {...props} />;
    case "radio_buttons":
    case "checkboxes":
      return <Boxes {...props} />;
    case "datepicker":
    case "timepicker": {
      const kind = element.type === "datepicker" ? "date" : "time";
      const value = String(held ?? element[`initial_${kind}`] ?? "");
      return <input id={id} type={kind} aria-label={label} value={value} onChange={(e) => use(e.target.value)} />;
    }
    case "plain_text_input":
    case "email_text_input":
    case "url_text_input":
    case "number_input":
      return <TextInput {...props} label={label} />;
    default:
      return <span className="quiet">({element.type} is not drawn by the sandbox)</span>;
  }
}

// An input that dispatches does so on Enter, unless it is set up to do so with every character.
function TextInput({ element, held, use, id, label }: ControlProps & { label?: string }) {
  const typing = !element.dispatch_action_config?.trigger_actions_on?.includes("on_character_entered");
  const common = {
    id,
    placeholder: element.placeholder?.text,
    "aria-label": id ? undefined : label,
    value: String(held ?? element.initial_value ?? ""),
    maxLength: element.max_length ?? 3000,
  };
  if (element.multiline) return <textarea {...common} rows={4} onChange={(e) => use(e.target.value, typing)} />;
  return (
    <input
      type="text"
      {...common}
      onChange={(e) => use(e.target.value, typing)}
      onKeyDown={(e) => e.key === "Enter" && typing && use(e.currentTarget.value)}
    />
  );
}

function Select({ element, held, use, id, label }: ControlProps & { label?: string }) {
  const initial = (element.initial_option as Option | undefined)?.value;
  const groups = element.option_groups ?? [{ label: null, options: element.options ?? [] }];
  return (
    <select
      id={id}
      aria-label={id ? undefined : label}
      value={String(held ?? initial ?? "")}
      onChange={(e) => use(e.target.value)}
    >
      <option value="" disabled>
        {label ?? "Choose an option"}
      </option>
      {groups.map((group, index) => {
        const options = group.options.map((option) => (
          <option key={option.value} value={option.value}>
            {option.text.text}
          </option>
        ));
        return group.label ? <optgroup key={index} label={group.label.text}>{options}</optgroup> : options;
      })}
    </select>
  );
}

// What Slack puts into a menu: the app is asked at each letter, and the newest answer counts.
function ExternalSelect({ element, held, use, id, label, place }: ControlProps & { label?: string }) {
  const picked = (held === undefined ? element.initial_option : held) as Option | null | undefined;
  return <Lookup element={element} place={place} id={id} label={label} shown={picked?.text.text} pick={use} picked={picked ? [picked] : []} />;
}

function ManyExternal({ element, held, use, id, label, place }: ControlProps & { label?: string }) {
  const picked = ((held === undefined ? element.initial_options : held) ?? []) as Option[];
  const without = (option: Option) => picked.filter((one) => one.value !== option.value);
  const full = picked.length >= (element.max_selected_items ?? Infinity);
  const pick = (option: Option) => {
    if (!full || picked.some((one) => one.value === option.value)) use([...without(option), option]);
  };
  return (
    <div className="many">
      {picked.map((option) => (
        <span key={option.value} className="picked">
          {option.text.text}
          <button type="button" aria-label={`Remove ${option.text.text}`} onClick={() => use(without(option))}>
            ✕
          </button>
        </span>
      ))}
      <Lookup element={element} place={place} id={id} label={label} pick={pick} picked={picked} />
    </div>
  );
}

function FileInput({ held, use, id }: ControlProps) {
  const { act, toast } = useActing();
  const files = (held ?? []) as { name: string }[];
  const share = async (file: globalThis.File | undefined) => {
    if (!file) return;
    const bytes = new Uint8Array(await file.arrayBuffer());
    const content = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
    const outcome = await act("upload", { name: file.name, content });
    if (outcome.file) use([outcome.file]);
    else toast(outcome.message ?? "The file could not be shared.");
  };
  return (
    <div className="file">
      <input id={id} type="file" onChange={(e) => void share(e.target.files?.[0])} />
      {files.map((file) => (
        <span key={file.name} className="quiet">📎 {file.name}</span>
      ))}
    </div>
  );
}

type LookupProps = {
  element: Element;
  place: Place;
  id?: string;
  label?: string;
  shown?: string;
  picked: Option[];
  pick: (option: Option) => void;
};

function Lookup({ element, place, id, label, shown, picked, pick }: LookupProps) {
  const { act } = useActing();
  const [query, setQuery] = useState("");
  const asked = useRef("");
  const [options, setOptions] = useState<Option[] | null>(null);
  const ask = async (text: string) => {
    setQuery(text);
    asked.current = text;
    const outcome = await act("options", { ...place.at, action_id: element.action_id, query: text });
    if (asked.current === text) setOptions(outcome.options ?? []);
  };
  return (
    <div className="external" onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setOptions(null)}>
      <input
        id={id}
        type="text"
        role="combobox"
        aria-expanded={options !== null}
        aria-label={id ? undefined : label}
        className={shown ? "held" : undefined}
        placeholder={shown ?? label}
        value={query}
        onFocus={() => void ask(query)}
        onChange={(e) => void ask(e.target.value)}
      />
      {options && (
        <ul role="listbox">
          {options.map((option) => (
            <li
              key={option.value}
              role="option"
              aria-selected={picked.some((one) => one.value === option.value)}
              onMouseDown={(e) => e.preventDefault()}
              onClick={() => {
                pick(option);
                setQuery("");
                setOptions(null);
              }}
            >
              {option.text.text}
            </li>
          ))}
          {options.length === 0 && <li className="quiet">No results</li>}
        </ul>
      )}
    </div>
  );
}

function Boxes({ element, held, use }: ControlProps) {
  const many = element.type === "checkboxes";
  const initial = many
    ? ((element.initial_options as Option[] | undefined) ?? []).map((option) => option.value)
    : (element.initial_option as Option | undefined)?.value;
  const chosen = held ?? initial ?? (many ? [] : null);
  const has = (value: string) => (Array.isArray(chosen) ? chosen.includes(value) : chosen === value);
  const toggle = (value: string) => {
    if (!Array.isArray(chosen)) return use(value);
    use(has(value) ? chosen.filter((one) => one !== value) : [...chosen, value]);
  };
  return (
    <fieldset className="boxes">
      {element.options?.map((option) => (
        <label key={option.value}>
          <input
            type={many ? "checkbox" : "radio"}
            checked={has(option.value)}
            onChange={() => toggle(option.value)}
          />
          <span>
            {option.text.text}
            {option.description && <small>{option.description.text}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Overflow({ options, use, busy }: { options: Option[]; use: (value: string) => void; busy: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <div className="overflow" onBlur={(e) => !e.currentTarget.contains(e.relatedTarget) && setOpen(false)}>
      <button
        type="button"
        className="button"
        aria-label="More actions"
        aria-haspopup="menu"
        aria-expanded={open}
        aria-busy={busy}
        onClick={() => setOpen(!open)}
      >
        ⋯
      </button>
      {open && (
        <div role="menu">
          {options.map((option) => (
            <button
              key={option.value}
              type="button"
              role="menuitem"
              onClick={() => {
                setOpen(false);
                use(option.value);
              }}
            >
              {option.text.text}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

function Confirmation({ confirm, yes, no }: { confirm: Confirm; yes: () => void; no: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} role="alertdialog" aria-label={confirm.title.text} className="confirm" onCancel={no}>
      <h2>{confirm.title.text}</h2>
      <Words text={confirm.text} />
      <footer>
        <button type="button" className="button" onClick={no}>
          {confirm.deny.text}
        </button>
        <button type="button" className={`button ${confirm.style ?? "primary"}`} onClick={yes}>
          {confirm.confirm.text}
        </button>
      </footer>
    </dialog>
  );
}
