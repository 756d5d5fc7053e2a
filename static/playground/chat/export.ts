// Conversations as files to take away: JSON with everything said, Markdown of the line that is shown. Pure but for the hand-over.
import { type Conversation, lineOf } from "./conversation.ts";

const FORMAT = "grok2api-conversations";

export const asJson = (conversations: readonly Conversation[]): string =>
  JSON.stringify({ format: FORMAT, version: 1, conversations }, null, 2);

export const asMarkdown = (conversation: Conversation, names: { readonly you: string }): string => {
  const { title, settings, createdMs } = conversation;
  const head = [`# ${title}`, `${settings.model} · ${new Date(createdMs).toISOString()}`];
  if (settings.system !== "") head.push(`> ${settings.system.replaceAll("\n", "\n> ")}`);
  const turns = lineOf(conversation).map(({ role, text, reasoning, attachments, model, problem }) => {
    const files = attachments.map(({ name }) => `- ${name}`).join("\n");
    const thought = reasoning === "" ? "" : `> ${reasoning.trim().replaceAll("\n", "\n> ")}`;
    const failed = problem === null ? "" : `**${problem.message}**`;
    const parts = [`## ${role === "user" ? names.you : model}`, files, thought, text.trim(), failed];
    return parts.filter((part) => part !== "").join("\n\n");
  });
  return `${[...head, ...turns].join("\n\n")}\n`;
};

/** A name that every file system takes. */
export const fileNameOf = (title: string, ending: string): string => {
  const plain = title
    .replace(/[\\/:*?"<>|\p{Cc}]+/gu, " ")
    .trim()
    .slice(0, 60)
    .trim();
  return `${plain === "" ? "conversation" : plain}.${ending}`;
};

export const handOver = (text: string, file: { name: string; mime: string }): void => {
  const url = URL.createObjectURL(new Blob([text], { type: file.mime }));
  const link = document.createElement("a");
  link.href = url;
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
};

/** What an earlier export holds; null for anything else. */
export const conversationsIn = (text: string): Conversation[] | null => {
  try {
    const { format, conversations } = JSON.parse(text) as { format?: unknown; conversations?: unknown };
    if (format !== FORMAT || !Array.isArray(conversations) || !conversations.every(isConversation)) return null;
    return conversations;
  } catch {
    return null;
  }
};

const isConversation = (value: unknown): value is Conversation => {
  if (typeof value !== "object" || value === null) return false;
  const { title, turns, settings } = value as Partial<Conversation>;
  const isTurn = (turn: unknown) =>
    typeof turn === "object" && turn !== null && "id" in turn && "text" in turn && typeof turn.text === "string";
  return typeof title === "string" && typeof settings === "object" && Array.isArray(turns) && turns.every(isTurn);
};
