// The realtime voice socket: says back what it heard, with the events of a realtime session.
// Knows no route. Invariant: every event has an id of its own, and a response ends with response.done.
import type { ServerWebSocket } from "bun";
import { randomHex } from "../chance.ts";
import { tokensOf } from "../answers.ts";
import { fieldsOf, textOf } from "../fields.ts";
import type { Fields } from "../fields.ts";
import type { JournalEntry } from "../journal.ts";
import { createSocketLine } from "../socket-session.ts";
import type { SocketSession } from "../socket-session.ts";
import type { World } from "../world.ts";
import type { XaiKey } from "./keys.ts";
import { soundOf } from "./sound.ts";
import { readXaiWords } from "./words.ts";

export interface RealtimeAsk {
  world: World;
  key: XaiKey;
  entry: JournalEntry;
  model: string;
}

export const DEFAULT_VOICE_MODEL = "grok-voice-think-fast-2.0";

export function createRealtimeSession({ world, key, entry, model }: RealtimeAsk): SocketSession {
  const call = world.journal.open(entry, "sockets");
  const line = createSocketLine(call);
  let session: Fields = {
    type: "realtime",
    object: "realtime.session",
    id: `sess_${randomHex(24)}`,
    model,
    output_modalities: ["audio"],
    audio: { output: { voice: "eve" } },
  };
  let heard = "";
  let audioBytes = 0;

  function send(type: string, fields: object = {}): void {
    void line.send({ type, event_id: `event_${randomHex(20)}`, ...fields });
  }
  function added(item: Fields): void {
    const whole = { id: `item_${randomHex(20)}`, object: "realtime.item", status: "completed", ...item };
    send("conversation.item.added", { previous_item_id: null, item: whole });
    send("conversation.item.done", { previous_item_id: null, item: whole });
  }
  function fail(message: string, param: string | null = null): void {
    send("error", { error: { type: "invalid_request_error", code: "invalid_event", message, param, event_id: null } });
  }
  function receive(event: Fields): void {
    switch (event["type"]) {
      case "session.update":
        // The model is chosen by the address alone.
        session = { ...session, ...fieldsOf(event["session"]), model };
        return send("session.updated", { session });
      case "conversation.item.create": {
        const item = fieldsOf(event["item"]);
        const parts = (Array.isArray(item["content"]) ? item["content"] : []).map(fieldsOf);
        heard = parts.map((part) => textOf(part["text"])).join("") || textOf(item["output"]) || heard;
        return added(item);
      }
      case "input_audio_buffer.append":
        audioBytes += Buffer.from(textOf(event["audio"]), "base64").length;
        return undefined;
      case "input_audio_buffer.clear":
        audioBytes = 0;
        return send("input_audio_buffer.cleared");
      case "input_audio_buffer.commit":
        heard = `${audioBytes} bytes of sound`;
        send("input_audio_buffer.committed", { previous_item_id: null, item_id: `item_${randomHex(20)}` });
        added({ type: "message", role: "user", content: [{ type: "input_audio", transcript: heard }] });
        audioBytes = 0;
        return undefined;
      case "response.create":
        return respond(fieldsOf(event["response"]));
      case "response.cancel":
        return fail("There is no response to cancel.");
      default:
        return fail(`Unknown event type: ${textOf(event["type"])}`, "type");
    }
  }
  function respond(wish: Fields): void {
    const words = readXaiWords(heard, key.scenario);
    if (words.has("cut")) return line.cut();
    if (words.has("error-first")) return fail("Internal error");
    const modalities = wish["output_modalities"] ?? session["output_modalities"];
    const spoken = !(Array.isArray(modalities) && modalities.includes("text"));
    const text = words.has("echo") ? heard : `You said: ${heard}`;
    const response = { id: `resp_${randomHex(20)}`, object: "realtime.response" };
    const at = { response_id: response.id, item_id: `item_${randomHex(20)}`, output_index: 0, content_index: 0 };
    const kind = spoken ? "output_audio_transcript" : "output_text";
    const part = spoken ? { type: "output_audio", transcript: text } : { type: "output_text", text };
    const item = { id: at.item_id, object: "realtime.item", type: "message", role: "assistant" };
    send("response.created", { response: { ...response, status: "in_progress", output: [] } });
    send("response.output_item.added", { ...at, item: { ...item, status: "in_progress", content: [] } });
    send("response.content_part.added", { ...at, part: { ...part, ...(spoken ? { transcript: "" } : { text: "" }) } });
    for (const delta of tokensOf(text)) send(`response.${kind}.delta`, { ...at, delta });
    if (spoken) {
      const sound = Buffer.from(soundOf("pcm", { seconds: 0.2, sampleRate: 24_000 })).toString("base64");
      send("response.output_audio.delta", { ...at, delta: sound });
      send("response.output_audio.done", at);
    }
    send(`response.${kind}.done`, { ...at, ...(spoken ? { transcript: text } : { text }) });
    send("response.content_part.done", { ...at, part });
    const whole = { ...item, status: "completed", content: [part] };
    send("response.output_item.done", { ...at, item: whole });
    const usage = { total_tokens: 40, input_tokens: 20, output_tokens: 20 };
    send("response.done", { response: { ...response, status: "completed", output: [whole], usage } });
  }

  return {
    opened(socket: ServerWebSocket<SocketSession>) {
      line.attach(socket);
      send("session.created", { session });
      send("conversation.created", { conversation: { id: `conv_${randomHex(20)}`, object: "realtime.conversation" } });
    },
    received(text) {
      let event: Fields;
      try {
        event = fieldsOf(JSON.parse(text));
      } catch {
        return fail("The event is not JSON.");
      }
      world.journal.frame(entry, event);
      return receive(event);
    },
    drained: () => line.drained(),
    closed() {
      line.gone();
      call.close("completed");
    },
  };
}
