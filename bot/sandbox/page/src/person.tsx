// Who is acting, and what acting means on this page: shared with every block by context.

import { createContext, useContext } from "react";

import type { Outcome, Seen, Values } from "./sandbox";

export type Acting = {
  seen: Seen;
  act: (what: string, body: object) => Promise<Outcome>;
  toast: (text: string) => void;
};

export const ActingContext = createContext<Acting | null>(null);

export function useActing(): Acting {
  const acting = useContext(ActingContext);
  if (!acting) throw new Error("outside of a workspace");
  return acting;
}

// Where a block stands: what a click on it must name, and the window's values that travel with it.
export type Place = {
  at: { channel: string; ts: string } | { view_id: string };
  values?: Values;
  set?: (block_id: string, action_id: string, value: unknown) => void;
  errors?: Record<string, string>;
};

// How a reader has dates and times written.
export type Reading = { tz: string; locale: string };

export function readingOf(seen: Seen): Reading {
  const { tz, locale } = seen.users[seen.me] ?? { tz: "UTC", locale: "en-US" };
  // Slack's Spanish of Latin America bears the country code of Laos
  return { tz, locale: locale === "es-LA" ? "es-419" : locale };
}

export function clock(ts: string, { tz, locale }: Reading): string {
  const date = new Date(parseFloat(ts) * 1000);
  return date.toLocaleTimeString(locale, { hour: "numeric", minute: "2-digit", timeZone: tz });
}

const DATES: Record<string, Intl.DateTimeFormatOptions> = {
  date_num: { year: "numeric", month: "2-digit", day: "2-digit" },
  date: { year: "numeric", month: "long", day: "numeric" },
  date_short: { year: "numeric", month: "short", day: "numeric" },
  date_long: { year: "numeric", month: "long", day: "numeric", weekday: "long" },
  time: { hour: "numeric", minute: "2-digit" },
  time_secs: { hour: "numeric", minute: "2-digit", second: "2-digit" },
};

// Slack's date tokens, in the reader's own time zone and language; `_pretty` says yesterday, today and tomorrow.
export function slackDate(unix: string, format: string, { tz, locale }: Reading): string {
  const date = new Date(parseInt(unix) * 1000);
  return format.replace(/\{(\w+)\}/g, (token, name: string) => {
    const pretty = name.endsWith("_pretty");
    if (pretty) {
      const day = (moment: Date) => moment.toLocaleDateString("en-CA", { timeZone: tz });
      const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
      for (const offset of [-1, 0, 1]) {
        if (day(date) === day(new Date(Date.now() + offset * 86_400_000))) return words.format(offset, "day");
      }
    }
    const options = DATES[name.replace(/_pretty$/, "")];
    return options ? date.toLocaleString(locale, { ...options, timeZone: tz }) : token;
  });
}
