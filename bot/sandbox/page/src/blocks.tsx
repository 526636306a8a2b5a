// Block Kit on the page. Header, rich text, markdown, image, alert and the like are drawn by slack-blocks-to-jsx;
// what a person uses, and mrkdwn text, is drawn here.

import { Message as SlackBlocks } from "slack-blocks-to-jsx";

import { Component, type ReactNode } from "react";

import { Used } from "./elements";
import { Words } from "./mrkdwn";
import { type Place, readingOf, slackDate, useActing } from "./person";
import type { Block, Cell, Element } from "./sandbox";
import { Table } from "./table";

export function Blocks({ blocks, place }: { blocks: Block[]; place: Place }) {
  return (
    <div className="blocks">
      {blocks.map((block) => (
        <Guarded key={block.block_id} what={block.type}>
          <One block={block} place={place} />
        </Guarded>
      ))}
    </div>
  );
}

function One({ block, place }: { block: Block; place: Place }) {
  if (block.type === "actions") {
    return (
      <div className="actions">
        {block.elements?.map((element) => (
          <Used key={element.action_id} block={block} element={element} place={place} />
        ))}
      </div>
    );
  }
  if (block.type === "input" && block.element && block.label) {
    const error = place.errors?.[block.block_id];
    const id = `${block.block_id}-${block.element.action_id}`;
    return (
      <div className="input">
        <label htmlFor={id}>
          {block.label.text} {block.optional && <span className="quiet">(optional)</span>}
        </label>
        <Used block={block} element={block.element} place={place} id={id} />
        {error ? <p role="alert" className="wrong">{error}</p> : block.hint && <p className="quiet">{block.hint.text}</p>}
      </div>
    );
  }
  if (block.type === "section") return <Section block={block} place={place} />;
  if (block.type === "context") {
    return (
      <div className="context">
        {block.elements?.map((element, index) =>
          element.type === "image" ? <Picture key={index} element={element} /> : <Words key={index} text={element as never} />,
        )}
      </div>
    );
  }
  if (block.type === "table") return <Table block={block} />;
  return <Drawn blocks={[block]} />;
}

// One block that cannot be drawn must not take the page with it.
class Guarded extends Component<{ what: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    return this.state.failed ? <p className="wrong">This {this.props.what} block cannot be drawn.</p> : this.props.children;
  }
}

export function RichText({ cell }: { cell: Cell }) {
  return <Drawn blocks={[{ type: "rich_text", block_id: "cell", elements: cell.elements as never }]} />;
}

function Section({ block, place }: { block: Block; place: Place }) {
  const { accessory } = block;
  return (
    <div className="section">
      <div>
        {block.text && <Words text={block.text} />}
        {block.fields && (
          <div className="fields">
            {block.fields.map((field, index) => (
              <Words key={index} text={field} />
            ))}
          </div>
        )}
      </div>
      {accessory?.type === "image" && <Picture element={accessory} />}
      {accessory && accessory.type !== "image" && <Used block={block} element={accessory} place={place} />}
    </div>
  );
}

function Picture({ element }: { element: Element }) {
  return <img className="picture" src={element.image_url} alt={element.alt_text} />;
}

function Drawn({ blocks }: { blocks: Block[] }) {
  const { seen } = useActing();
  const users = Object.values(seen.users).map((user) => ({ id: user.id, name: user.real_name, avatar: "" }));
  const channels = seen.conversations.filter((one) => one.name).map(({ id, name }) => ({ id, name }));
  return (
    <div className="drawn">
      <SlackBlocks
        blocks={blocks as never}
        name=""
        logo=""
        theme="light"
        withoutWrapper
        data={{ users, channels, user_groups: [] }}
        hooks={{
          date: ({ timestamp, format }) => <time>{slackDate(String(timestamp), format, readingOf(seen))}</time>,
        }}
      />
    </div>
  );
}
