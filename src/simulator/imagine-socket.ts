// The picture socket: one request at a time, one slot per picture.
// Knows no chat. Invariant: every slot that was announced by start_stage is closed by a completed frame,
// except under sim:no-final and sim:no-verdict.
import { spend } from "./accounts.ts";
import type { Account } from "./accounts.ts";
import { nowMs, pause, randomUuid } from "./chance.ts";
import type { JournalEntry } from "./journal.ts";
import { finishedJpeg, previewJpeg } from "./pictures.ts";
import { onGeneration, refusalByWord } from "./refusals.ts";
import { readWords } from "./scenarios.ts";
import type { Words } from "./scenarios.ts";
import { createSocketLine } from "./socket-session.ts";
import type { SocketSession } from "./socket-session.ts";
import { fieldsOf, textOf } from "./fields.ts";
import type { World } from "./world.ts";
import type { Fields } from "./fields.ts";

interface PictureAsk {
  requestId: string;
  prompt: string;
  words: Words;
  count: number;
  pro: boolean;
  nsfw: boolean;
  width: number;
  height: number;
}

const SIZES: Record<string, [number, number]> = {
  "1:1": [1024, 1024],
  "2:3": [768, 1152],
  "3:2": [1152, 768],
  "9:16": [720, 1280],
  "16:9": [1280, 720],
  "4:3": [1152, 864],
  "3:4": [864, 1152],
  "2:1": [1440, 720],
  "1:2": [720, 1440],
  "21:9": [1568, 672],
  "5:2": [1440, 576],
  "19.5:9": [1560, 720],
  "9:19.5": [720, 1560],
  "20:9": [1600, 720],
  "9:20": [720, 1600],
};

export function createImagineSession(facts: { world: World; account: Account; entry: JournalEntry }): SocketSession {
  const { world, account, entry } = facts;
  const call = world.journal.open(entry, "sockets");
  const line = createSocketLine(call);
  let drawing = 0;

  async function received(text: string): Promise<void> {
    let frame: Fields;
    try {
      frame = fieldsOf(JSON.parse(text));
    } catch {
      return fail("invalid_request", { message: "A frame must be JSON" });
    }
    world.journal.frame(entry, frame);
    const content = fieldsOf(frame["item"])["content"];
    const items = Array.isArray(content) ? content.map(fieldsOf) : [];
    const input = items.find((item) => item["type"] === "input_text" || item["type"] === "input_scroll");
    if (
      frame["type"] !== "conversation.item.create" ||
      (input === undefined && !items.some((item) => item["type"] === "reset"))
    ) {
      return fail("invalid_request", { message: "Unknown frame" });
    }
    if (input === undefined) return;
    await draw(readAsk(input, account));
  }

  function fail(code: string, facts: { message: string; requestId?: string }): void {
    void line.send({ type: "error", err_code: code, err_msg: facts.message, request_id: facts.requestId ?? null });
  }

  async function draw(ask: PictureAsk): Promise<void> {
    const { words, requestId } = ask;
    await line.send({ type: "session", conversation_id: randomUuid() });
    const refusal = onGeneration(account) ?? refusalByWord(words);
    if (refusal?.challenge === true) return line.cut();
    const limited = refusal?.code === 8 || (refusal === undefined && !spend(account.imagine.imagePro, ask.count));
    if (limited) return fail("rate_limit_exceeded", { message: "Image rate limit exceeded", requestId });
    if (refusal !== undefined) return fail("internal_error", { message: refusal.message, requestId });
    drawing += 1;
    await drawSlots(ask);
    drawing -= 1;
  }

  async function drawSlots(ask: PictureAsk): Promise<void> {
    const { words } = ask;
    if (words.has("hang") || words.has("hang-headers")) return pause(Number.POSITIVE_INFINITY, line.signal);
    const count = words.has("few-pictures") ? 1 : ask.count;
    const slots = Array.from({ length: count }, (_, index) => ({ id: randomUuid(), index }));
    for (const slot of slots) await line.send(progress(ask, slot, { status: "start_stage", moderated: null }));
    for (const slot of slots) {
      await wait();
      await line.send(await image(ask, slot, false));
      if (words.has("cut")) return line.cut();
      if (words.has("silence")) await pause(words.number("silence") * 1000, line.signal);
    }
    if (words.has("no-final")) return pause(Number.POSITIVE_INFINITY, line.signal);
    for (const slot of slots) {
      await wait();
      if (line.signal.aborted) return;
      const moderated = isModerated(ask, slot.index);
      if (!moderated) await line.send(await image(ask, slot, true));
      if (!words.has("no-verdict")) await line.send(progress(ask, slot, { status: "completed", moderated }));
    }
  }

  function wait(): Promise<void> {
    return pause(world.options.mediaDelayMs, line.signal);
  }

  function isModerated({ words, count, nsfw }: PictureAsk, index: number): boolean {
    if (words.has("blocked-pictures")) return true;
    if (words.has("blocked-picture")) return index === count - 1;
    return words.has("nsfw") && !(nsfw && account.flags.nsfw);
  }

  interface Slot {
    id: string;
    index: number;
  }

  function progress(ask: PictureAsk, slot: Slot, state: { status: string; moderated: boolean | null }): object {
    return {
      type: "json",
      current_status: state.status,
      percentage_complete: state.status === "completed" ? 100 : 0,
      ...common(ask, slot),
      image_id: slot.id,
      elapsed: null,
      flags: null,
      input_type: "text",
      seed: null,
      image_reference: null,
      is_image_edit: null,
      moderated: state.moderated,
      r_rated: state.moderated === null ? null : ask.words.has("nsfw"),
    };
  }

  async function image(ask: PictureAsk, slot: Slot, final: boolean): Promise<object> {
    const wish = { seed: `${ask.prompt}/${slot.index}`, width: ask.width, height: ask.height };
    const bytes = final ? await finishedJpeg(wish) : await previewJpeg(wish);
    return {
      type: "image",
      blob: Buffer.from(bytes).toString("base64"),
      ...common(ask, slot),
      id: slot.id,
      grid_index: slot.index,
      url: `${world.origin}/imagine-public/images/${slot.id}${final ? "" : "-part-0"}.jpg`,
      percentage_complete: final ? 100 : 50,
      r_rated: ask.words.has("nsfw"),
      moderated: false,
      has_watermark: null,
      is_jurisdiction_restricted: null,
      is_pro: ask.pro ? true : null,
      mode: "fast",
    };
  }

  return {
    opened: (socket) => line.attach(socket),
    received: (text) => void received(text),
    drained: () => line.drained(),
    closed() {
      call.close(drawing > 0 ? "aborted" : "completed");
      line.gone();
    },
  };
}

function common(ask: PictureAsk, slot: { id: string; index: number }): object {
  return {
    job_id: slot.id,
    request_id: ask.requestId,
    order: slot.index,
    section_id: 0,
    is_alteration: false,
    side_by_side_index: null,
    confirmation: null,
    prompt: ask.prompt,
    full_prompt: ask.prompt,
    model_name: ask.pro ? "imagine-x-1-pro" : "imagine-x-1",
    width: ask.width,
    height: ask.height,
  };
}

function readAsk(input: Fields, account: Account): PictureAsk {
  const properties = fieldsOf(input["properties"]);
  const prompt = textOf(input["text"]);
  const asked = Number(properties["num_generations"] ?? 4);
  const [width, height] = SIZES[textOf(properties["aspect_ratio"])] ?? [768, 1152];
  return {
    requestId: textOf(input["requestId"]) || `img_${nowMs()}`,
    prompt,
    words: readWords(prompt, account.scenario),
    count: Math.max(1, Math.min(12, Number.isInteger(asked) ? asked : 4)),
    pro: properties["enable_pro"] === true,
    nsfw: properties["enable_nsfw"] === true,
    width,
    height,
  };
}
