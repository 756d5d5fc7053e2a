// What is done with whole conversations beside talking: away as files, back from files, removed. Asks before what cannot be undone.
import { confirm } from "../../shared/modal.tsx";
import { toast } from "../../shared/toast.tsx";
import { type Conversation, type Head, newId } from "./conversation.ts";
import { asJson, asMarkdown, conversationsIn, fileNameOf, handOver } from "./export.ts";
import { bring, current, heads, remove, removeAll } from "./store.ts";
import { openVault } from "./vault.ts";
import { say } from "./words.ts";

const find = async (id: string): Promise<Conversation | null> =>
  current.value.id === id ? current.value : (await openVault()).load(id);

export const exportJson = async (id: string): Promise<void> => {
  const conversation = await find(id);
  if (!conversation) return;
  handOver(asJson([conversation]), { name: fileNameOf(conversation.title, "json"), mime: "application/json" });
};

export const exportMarkdown = async (id: string): Promise<void> => {
  const conversation = await find(id);
  if (!conversation) return;
  const text = asMarkdown(conversation, { you: say("you") });
  handOver(text, { name: fileNameOf(conversation.title, "md"), mime: "text/markdown" });
};

export const exportAll = async (): Promise<void> => {
  const all: Conversation[] = [];
  await (await openVault()).each((conversation) => all.push(conversation) > 0);
  handOver(asJson(all), { name: fileNameOf(say("conversations"), "json"), mime: "application/json" });
};

export const importFrom = async (): Promise<void> => {
  const picker = document.createElement("input");
  picker.type = "file";
  picker.accept = "application/json,.json";
  const file = await new Promise<File | undefined>((resolve) => {
    picker.addEventListener("change", () => resolve(picker.files?.[0]));
    picker.addEventListener("cancel", () => resolve(undefined));
    picker.click();
  });
  if (!file) return;
  const found = conversationsIn(await file.text());
  if (found === null) {
    toast(say("notImported"), "error");
    return;
  }
  // Beside those that are there, whatever their names were where they come from.
  await bring(found.map((conversation) => ({ ...conversation, id: newId() })));
  toast(say("imported", { n: found.length }));
};

export const removeOne = async ({ id, title }: Head): Promise<void> => {
  const question = { title: say("removeTitle"), text: say("removeText", { title }), action: say("remove") };
  if (await confirm({ ...question, danger: true })) await remove(id);
};

export const removeEverything = async (): Promise<void> => {
  const text = say("removeAllText", { n: heads.value.length });
  const question = { title: say("removeAllTitle"), text, action: say("remove"), danger: true };
  if (await confirm(question)) await removeAll();
};
