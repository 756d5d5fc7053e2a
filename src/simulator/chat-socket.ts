// The chat socket: handshake, one or more turns, heartbeat.
// Knows no REST call. Invariant: nothing of an answer is sent before both session.created and
// conversation.attached, and a client that leaves mid-answer is counted as aborted.
import type { Account, Conversation, Mode } from "./accounts.ts";
import { stepBeats, firstFault, rememberConversation, tokenDelay } from "./chat.ts";
import { pause, randomUuid, timestamp } from "./chance.ts";
import { newConversation } from "./chat-frames.ts";
import { chargeChat, modeOfModeId, scriptContext } from "./chat-request.ts";
import { escapeMarkup } from "./framing.ts";
import type { JournalEntry } from "./journal.ts";
import { refusalByWord, socketVerdict } from "./refusals.ts";
import type { Refusal } from "./refusals.ts";
import { responseObject } from "./response-object.ts";
import { readWords } from "./scenarios.ts";
import { writeScript } from "./script.ts";
import type { ScriptContext } from "./script.ts";
import { createSocketFrames } from "./socket-frames.ts";
import { createSocketLine } from "./socket-session.ts";
import type { SocketSession } from "./socket-session.ts";
import { fieldsOf, textOf, textsOf } from "./fields.ts";
import type { World } from "./world.ts";
import type { Fields } from "./fields.ts";

interface Turn {
  message: string;
  attachments: string[];
  parent: string;
}

export function createChatSession(facts: { world: World; account: Account; entry: JournalEntry }): SocketSession {
  const { world, account, entry } = facts;
  const call = world.journal.open(entry, "sockets");
  const line = createSocketLine(call);
  const accountWords = readWords(account.scenario);
  let conversation: Conversation | undefined;
  let mode: Mode = "fast";
  let item: Turn | undefined;
  let answering = false;

  function refuse(code: number, message: string): void {
    void line.send({ event: { type: "error", error: { code, message } } });
  }

  async function createSession(event: Fields): Promise<void> {
    const session = fieldsOf(event["session"]);
    const grok = fieldsOf(session["x_grok"]);
    const asked = modeOfModeId(textOf(session["model"]));
    if (asked === undefined) return refuse(3, "Unknown session.model");
    mode = asked;
    const wanted = textOf(grok["conversation_id"]);
    if (wanted === "") {
      const temporary = grok["is_temporary"] === true;
      conversation = newConversation({ id: randomUuid(), kind: "CONVERSATION_KIND_CHAT", temporary });
    } else {
      conversation = account.conversations.get(wanted);
      if (conversation === undefined || grok["load_existing"] !== true) return refuse(5, "Conversation not found");
    }
    const id = conversation.id;
    if (accountWords.has("foreign-session")) {
      await line.send({
        session_id: randomUuid(),
        event: { type: "session.created", client_event_id: "evt_init_of_somebody_else" },
      });
    }
    await line.send({ session_id: id, event: { type: "session.created", client_event_id: textOf(event["event_id"]) } });
    const capable = textsOf(grok["protocol_capabilities"]).includes("conversation_attached");
    if (capable && !accountWords.has("no-attach")) {
      await line.send({ session_id: id, event: { type: "conversation.attached", conversation: { id } } });
    }
  }

  function takeItem(event: Fields): void {
    const inner = fieldsOf(event["item"]);
    const chunks = fieldsOf(inner["x_grok"])["input_chunks"];
    const texts = (Array.isArray(chunks) ? chunks : []).map((one) => textOf(fieldsOf(fieldsOf(one)["text"])["text"]));
    item = {
      message: texts.join(""),
      attachments: textsOf(inner["file_attachment_ids"]),
      parent: textOf(event["parent_response_id"]),
    };
    if (item.message === "") refuse(3, "An item needs text");
  }

  async function respond(): Promise<void> {
    if (conversation === undefined || item === undefined) return refuse(9, "No session or no item");
    if (answering) return refuse(9, "A response is already being written");
    const turn = item;
    item = undefined;
    if (turn.parent !== "" && !conversation.responses.some((response) => response["responseId"] === turn.parent)) {
      return refuse(5, "Parent response not found");
    }
    const script = scriptContext(world, account, {
      message: turn.message,
      mode,
      attachments: turn.attachments,
      turn: 1 + conversation.responses.filter((response) => response["sender"] === "assistant").length,
      drawing: false,
      pictureCount: 1,
      legacyPictures: false,
    });
    const available = account.modes[mode] !== undefined;
    const refusal =
      socketVerdict(account) ?? refusalByWord(script.words) ?? (available ? chargeChat(account, mode) : undefined);
    if (refusal !== undefined) return deny(refusal);
    answering = true;
    await answer({ conversation, turn, script, available });
    answering = false;
  }

  /** The challenge is the edge's business, which can only drop a socket that is already open. */
  function deny(refusal: Refusal): void {
    if (refusal.challenge === true) line.cut();
    else refuse(refusal.code, refusal.message);
  }

  async function answer(ask: {
    conversation: Conversation;
    turn: Turn;
    script: ScriptContext;
    available: boolean;
  }): Promise<void> {
    const { script, turn } = ask;
    const responseId = randomUuid();
    const user = responseObject({
      responseId: randomUuid(),
      message: turn.message,
      sender: "human",
      fileAttachments: turn.attachments,
    });
    ask.conversation.responses.push(user);
    rememberConversation(account, ask.conversation);
    const frames = createSocketFrames({ words: script.words, responseId });
    if (script.words.has("unknown-events")) await sendUnknown();
    const steps =
      firstFault({ account, attachments: turn.attachments, available: ask.available }) ?? writeScript(script);
    const delayMs = tokenDelay(world, script);
    for (const step of steps) {
      // Stored before its last event goes out: a client may continue the conversation at once.
      if (step.do === "final")
        store(ask.conversation, { responseId, parent: user.responseId, message: frames.text() + step.extra });
      if (!(await playStep(step, frames.step(step), { delayMs, script }))) return;
    }
  }

  async function playStep(
    step: Parameters<typeof stepBeats>[0],
    sends: object[],
    how: { delayMs: number; script: ScriptContext },
  ): Promise<boolean> {
    for (const beat of stepBeats(step, sends, how.delayMs)) {
      if ("stop" in beat) {
        if (beat.stop === "cut") line.cut();
        else await pause(Number.POSITIVE_INFINITY, line.signal);
        return false;
      }
      await pause("pauseMs" in beat ? beat.pauseMs : (beat.delayMs ?? 0), line.signal);
      if (line.signal.aborted) return false;
      if ("send" in beat && !(await line.send(encode(withSession(beat.send), how.script)))) return false;
    }
    if (step.do === "token" || step.do === "cite") world.journal.countTokens(1);
    return true;
  }

  function withSession(event: object): object {
    return { session_id: conversation?.id, ...event };
  }

  async function sendUnknown(): Promise<void> {
    await line.send(withSession({ event: { type: "conversation.item.added", item: { id: randomUuid() } } }));
    await line.send(withSession({ event: { type: "response.chunk", chunk: { hologram: { pixels: [] } } } }));
    await line.send({
      event: { type: "response.chunk", chunk: { text: { text: "dropped?", channel: "CHANNEL_OF_TOMORROW" } } },
    });
    line.sendBinary(new Uint8Array([1, 2, 3]));
  }

  async function received(text: string): Promise<void> {
    let frame: Fields;
    try {
      frame = fieldsOf(JSON.parse(text));
    } catch {
      return refuse(3, "A frame must be JSON");
    }
    world.journal.frame(entry, frame);
    const event = fieldsOf(frame["event"]);
    const named = textOf(frame["session_id"]);
    if (named !== "" && conversation !== undefined && named !== conversation.id) return refuse(5, "Unknown session_id");
    switch (event["type"]) {
      case "session.create":
        return createSession(event);
      case "conversation.item.create":
        return conversation === undefined ? refuse(9, "No session") : takeItem(event);
      case "response.create":
        return respond();
      case "ping":
        await line.send({ event: { type: "pong", client_event_id: textOf(event["event_id"]) } });
        return;
      default:
        return refuse(3, "Unknown event type");
    }
  }

  return {
    opened: (socket) => line.attach(socket),
    received: (text) => void received(text),
    drained: () => line.drained(),
    closed() {
      // Leaving while an answer is being written is an abort; leaving after it, or before asking, is not.
      call.close(answering ? "aborted" : "completed");
      line.gone();
    },
  };
}

function encode(frame: object, script: ScriptContext): string {
  const json = JSON.stringify(frame);
  return script.words.has("escaped") ? escapeMarkup(json) : json;
}

function store(conversation: Conversation, facts: { responseId: string; parent: string; message: string }): void {
  const { responseId, parent, message } = facts;
  conversation.responses.push(responseObject({ responseId, message, sender: "assistant", parentResponseId: parent }));
  conversation.modifiedAt = timestamp();
}
