// The site's chat over its `mgw` WebSocket: what to send, and how its events become an answer. Pure; opening the socket
// is chat.ts's. One turn a socket. Facts: 2026-08 (client frames) and the site's published schema of 2026-06 (chunks).
import { GatewayError } from "../../core/errors.ts";
import type { Mode } from "../../core/models.ts";
import { isObject, numberAt, objectAt, objectsAt, parseObject, stringAt, type JsonObject } from "../../lib/json.ts";
import { describeTool, parseCard, type Answer } from "./answer.ts";
import { classifyFrame } from "./failures.ts";
import type { FollowUp } from "./chat-request.ts";

export interface TurnOptions {
  readonly mode: Mode;
  readonly message: string;
  readonly fileIds: readonly string[];
  readonly temporary: boolean;
  readonly disableMemory: boolean;
  readonly followUp?: FollowUp;
  /** Fresh UUIDs and the time, from the caller. */
  readonly ids: { readonly init: string; readonly message: string };
  readonly nowMs: number;
}

export const sessionCreate = (turn: TurnOptions): string =>
  JSON.stringify({
    ...(turn.followUp ? { session_id: turn.followUp.conversationId } : {}),
    event: {
      type: "session.create",
      event_id: `evt_init_${turn.ids.init}`,
      session: {
        model: turn.mode,
        x_grok: {
          protocol_capabilities: ["conversation_attached", "custom_methods_v1"],
          use_chunk: true,
          enable_side_by_side: true,
          force_side_by_side: false,
          enable_image_generation: true,
          image_generation_count: 2,
          disable_text_follow_ups: false,
          disable_artifact: true,
          force_concise: false,
          ...(turn.followUp
            ? { conversation_id: turn.followUp.conversationId, load_existing: true, needs_history: false }
            : { keep_context: false, is_temporary: turn.temporary, disable_memory: turn.disableMemory }),
        },
      },
    },
  });

/** The two frames that ask, sent once the session is attached. */
export const ask = (turn: TurnOptions, sessionId: string): [item: string, response: string] => {
  const files = turn.fileIds.length > 0 ? { file_attachment_ids: turn.fileIds } : {};
  const mentions = turn.fileIds.map((id) => ({ mention: { target: { file_mention: { file_id: id } } } }));
  return [
    JSON.stringify({
      session_id: sessionId,
      event: {
        type: "conversation.item.create",
        event_id: `evt_msg_${turn.nowMs}`,
        ...(turn.followUp ? { parent_response_id: turn.followUp.parentResponseId } : {}),
        ...files,
        item: {
          type: "message",
          role: "user",
          ...files,
          x_grok: {
            client_message_id: turn.ids.message,
            input_chunks: [...mentions, { text: { text: turn.message } }],
          },
        },
      },
    }),
    JSON.stringify({
      session_id: sessionId,
      event: { type: "response.create", event_id: `evt_resp_${turn.nowMs}` },
    }),
  ];
};

export const ping = (nowMs: number): string => JSON.stringify({ event: { type: "ping", event_id: `evt_hb_${nowMs}` } });

export interface SocketReader {
  /** Takes one text frame; returns the frames to send in reply. */
  accept(frame: string): readonly string[];
}

/** Chunk kinds that name a thinking channel: three since 2026-06, two older names. */
const isReasoning = (channel: string): boolean => /THINKING|NOTETAKER|ANALYSIS|REASONING/.test(channel);

export const createSocketReader = (answer: Answer, turn: TurnOptions): SocketReader => {
  let sessionId: string | undefined;
  let attached = false;
  let asked = false;
  let streamed = false;
  let agent: string | undefined;

  const text = (value: JsonObject) => {
    const said = stringAt(value, "text") ?? "";
    const channel = stringAt(value, "channel") ?? "";
    if (said === "") return;
    if (channel.endsWith("NOTETAKER_HEADER")) return answer.heading(said);
    if (isReasoning(channel)) return answer.reasoning(said);
    streamed = true;
    answer.text(said);
  };

  const toolCard = (card: JsonObject) => {
    const id = stringAt(card, "tool_usage_card_id");
    for (const [name, value] of Object.entries(card)) {
      if (!isObject(value)) continue;
      const { kind, detail } = describeTool(name, objectAt(value, "args"));
      answer.activity({ kind, detail, id, agent });
    }
  };

  const toolResult = (result: JsonObject) => {
    for (const page of objectsAt(objectAt(result, "web_search"), "webpages")) {
      const url = stringAt(page, "url");
      if (url) answer.source(url, stringAt(page, "title") ?? "");
    }
    for (const post of objectsAt(objectAt(result, "x_post"), "posts")) {
      const id = stringAt(post, "post_id");
      const handle = stringAt(post, "userhandle") ?? "i";
      if (id) {
        answer.source(
          `https://x.com/${handle}/status/${id}`,
          `𝕏/@${handle}: ${(stringAt(post, "text") ?? "").slice(0, 50)}`,
        );
      }
    }
  };

  const picture = (value: JsonObject) => {
    const chunk = objectAt(value, "image_chunk");
    if (!chunk) return;
    answer.image({
      url: stringAt(chunk, "imageUrl") ?? stringAt(chunk, "image_url") ?? "",
      final: (numberAt(chunk, "progress") ?? 0) >= 100,
      moderated: chunk["moderated"] === true,
    });
  };

  const chunk = (body: JsonObject) => {
    const metadata = objectAt(body, "metadata");
    const speaker = stringAt(metadata, "rollout_id");
    if (speaker && speaker !== agent) {
      if (agent !== undefined || speaker !== "Grok") answer.heading(`[${speaker}]`);
      agent = speaker;
    }
    for (const [kind, value] of Object.entries(body)) {
      if (!isObject(value)) continue;
      if (kind === "text") text(value);
      else if (kind === "tool_usage_card") toolCard(value);
      else if (kind === "tool_result") toolResult(value);
      else if (kind === "render_generated_image" || kind === "render_edited_image") picture(value);
      else if (kind === "render_citation") {
        const url = stringAt(value, "url");
        if (url) answer.cite(url);
      } else if (kind === "render_searched_image") {
        const image = objectAt(value, "image");
        answer.card({ id: stringAt(value, "id") ?? "image", cardType: "image_card", image });
        answer.text(`<grok:render card_id="${stringAt(value, "id") ?? "image"}"></grok:render>`);
      }
    }
  };

  const output = (value: JsonObject | undefined) => {
    const failed = value?.["stream_error"];
    const error = failed === undefined ? null : classifyFrame(failed, turn.mode);
    if (error) return answer.fail(error);
    const attachment = objectAt(value, "card_attachment");
    const card = parseCard(attachment?.["json_data"] ?? attachment?.["jsonData"]);
    if (card) answer.card(card);
  };

  const done = (event: JsonObject) => {
    const response = objectAt(event, "response");
    const status = stringAt(response, "status") ?? "completed";
    answer.upstream({ conversationId: sessionId, responseId: stringAt(response, "id") });
    if (status !== "completed") {
      return answer.fail(new GatewayError("upstream_error", `The upstream ended its answer as "${status}".`));
    }
    answer.concluded();
    answer.end();
  };

  const start = (): readonly string[] => {
    if (asked || !attached || !sessionId) return [];
    asked = true;
    return ask(turn, sessionId);
  };

  const accept: SocketReader["accept"] = (frame) => {
    const root = parseObject(frame);
    const event = objectAt(root, "event");
    if (!root || !event || answer.over) return [];
    switch (stringAt(event, "type")) {
      case "session.created": {
        const echo = stringAt(event, "client_event_id");
        if (echo && echo !== `evt_init_${turn.ids.init}`) return [];
        sessionId = stringAt(root, "session_id") ?? sessionId;
        return start();
      }
      case "conversation.attached": {
        const id = stringAt(objectAt(event, "conversation"), "id");
        attached = true;
        sessionId ??= id;
        if (id && sessionId && id !== sessionId) {
          answer.fail(new GatewayError("upstream_malformed", "The upstream attached another conversation."));
        }
        return start();
      }
      case "response.chunk":
        chunk(objectAt(event, "chunk") ?? {});
        return [];
      case "response.output_text.delta":
        streamed = true;
        answer.text(stringAt(event, "delta") ?? "");
        return [];
      case "response.output_text.done":
        if (!streamed) answer.text(stringAt(event, "text") ?? "");
        return [];
      case "response.search.result": {
        const result = objectAt(event, "result");
        const url = stringAt(result, "url");
        if (url) answer.source(url, stringAt(result, "title") ?? "");
        return [];
      }
      case "response.grok.output":
        output(objectAt(event, "output"));
        return [];
      case "response.done":
        done(event);
        return [];
      case "error":
        answer.fail(
          classifyFrame(event["error"], turn.mode) ??
            new GatewayError("upstream_error", "The upstream reported an error."),
        );
        return [];
      case "session.ended":
        answer.fail(
          new GatewayError("upstream_cut", "The upstream closed the session before its answer was complete."),
        );
        return [];
      default:
        return [];
    }
  };

  return { accept };
};
