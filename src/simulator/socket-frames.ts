// Translates steps into the events of the chat socket (snake_case, one JSON text frame each).
// Knows nothing of REST frames beyond the shared picture object. Invariant: a chunk has exactly one body.
import { faultObject, imageChunk } from "./chat-frames.ts";
import { tokensOf } from "./answers.ts";
import type { Words } from "./scenarios.ts";
import type { Step } from "./steps.ts";

export interface SocketFrames {
  step(step: Step): object[];
  /** All answer text so far. */
  text(): string;
}

export interface SocketFrameContext {
  words: Words;
  responseId: string;
}

const CHANNELS = {
  answer: "CHANNEL_ASSISTANT_RESPONSE",
  thinking: "CHANNEL_ASSISTANT_THINKING",
  header: "CHANNEL_ASSISTANT_NOTETAKER_HEADER",
  summary: "CHANNEL_ASSISTANT_NOTETAKER_SUMMARY",
} as const;

const TOOLS: Record<string, string> = {
  webSearch: "web_search",
  xSearch: "x_search",
  codeExecution: "code_execution",
  chatroomSend: "chatroom_send",
};

export function createSocketFrames({ words, responseId }: SocketFrameContext): SocketFrames {
  let text = "";
  let speaker = "";

  function say(value: string): object[] {
    text += value;
    if (value === "" || words.has("done-text")) return [];
    if (words.has("delta")) return [{ event: { type: "response.output_text.delta", delta: value } }];
    return [chunk({ text: { text: value, channel: CHANNELS.answer } })];
  }
  /** The author of what follows is named in a chunk of its own, whenever it changes. */
  function author(step: { agent?: string; step?: number }): object[] {
    const name = `${step.agent ?? ""}/${step.step ?? ""}`;
    if (step.agent === undefined || name === speaker) return [];
    speaker = name;
    return [chunk({ metadata: { rollout_id: step.agent, step_id: step.step ?? 0 } })];
  }

  function translate(step: Step): object[] {
    switch (step.do) {
      case "layout":
        return [
          chunk({ ui_layout: { reasoning_ui_layout: step.layout, will_think_long: false, rollout_ids: step.agents } }),
        ];
      case "token":
        if (step.side === 1) return [];
        if (step.channel === "answer") return say(step.text);
        return [...author(step), chunk({ text: { text: step.text, channel: CHANNELS[step.channel] } })];
      case "spacer":
        return [chunk({ text: { text: "", channel: CHANNELS.answer } })];
      case "keep-alive":
        return [{ event: { type: "keep_alive", padding: "x".repeat(step.bytes) } }];
      case "tool":
        return [
          ...author(step),
          chunk({
            tool_usage_card: { tool_usage_card_id: step.id, [TOOLS[step.tool] ?? step.tool]: { args: step.args } },
          }),
        ];
      case "found":
        return found(step);
      case "card":
        return [];
      case "cite": {
        const { card } = step;
        const kind = card.source === "x" ? "CITATION_KIND_X_POST" : "CITATION_KIND_WEB_PAGE";
        const citation = chunk({ render_citation: { id: card.id, kind, url: card.url, citation_id: card.citationId } });
        return [...say(step.before), citation, ...say(step.after)];
      }
      case "picture":
        return [picture(step)];
      case "picture-tag":
        return [];
      case "found-picture":
        return [chunk({ render_searched_image: { id: step.cardId, image: step.picture } })];
      case "fail":
        return [{ event: { type: "error", error: { code: step.code, message: step.message } } }];
      case "fault":
        return fatal(step.fault);
      case "suggestions":
        return [chunk({ follow_up_suggestions: { suggestions: [{ label: "What else can a simulator do?" }] } })];
      case "final":
        return finish(step);
      case "session-ended":
        return [{ event: { type: "session.ended" } }];
      case "soft-stop":
      case "title":
      case "pause":
      case "hang":
      case "cut":
        return [];
    }
  }

  function found(step: Extract<Step, { do: "found" }>): object[] {
    if (words.has("search-event")) {
      return (step.web ?? []).map(({ url, title }) => ({
        event: { type: "response.search.result", result: { url, title } },
      }));
    }
    const result: Record<string, unknown> = { tool_call_id: step.id };
    if (step.web !== undefined) {
      result["web_search"] = {
        webpages: step.web.map(({ url, title, preview }) => ({ url, title, snippet: preview })),
      };
    }
    if (step.posts !== undefined) {
      result["x_post"] = {
        posts: step.posts.map((post) => ({
          userhandle: post.username,
          name: post.name,
          text: post.text,
          post_id: post.postId,
        })),
      };
    }
    if (step.code !== undefined) {
      const { stdout, stderr, exitCode } = step.code;
      result["code_execution"] = { stdout, stderr, exit_code: exitCode, command_timed_out: false };
    }
    return [chunk({ tool_result: result })];
  }

  function picture({ cardId, query, chunk: facts }: Extract<Step, { do: "picture" }>): object {
    const image_chunk = facts === null ? null : imageChunk(facts);
    if (!words.has("image-card")) return chunk({ render_generated_image: { id: cardId, query, image_chunk } });
    const json_data = JSON.stringify({
      id: cardId,
      type: "render_generated_image",
      cardType: "generated_image_card",
      image_chunk,
    });
    return { event: { type: "response.grok.output", output: { card_attachment: { json_data, jsonData: json_data } } } };
  }

  function fatal(fault: Extract<Step, { do: "fault" }>["fault"]): object[] {
    const { severity, message, ...detail } = faultObject(fault) as Record<string, unknown>;
    const stream_error = {
      message,
      severity,
      ...Object.fromEntries(Object.entries(detail).map(([key, value]) => [snake(key), value])),
    };
    const error = { event: { type: "response.grok.output", output: { stream_error } } };
    return fault.fatal ? [error, done("failed")] : [error];
  }

  function finish(step: Extract<Step, { do: "final" }>): object[] {
    const events: object[] = step.faults.flatMap((fault) => fatal({ ...fault, fatal: false }));
    for (const piece of tokensOf(step.extra)) text += piece;
    if (words.has("done-text") || step.extra !== "")
      events.push({ event: { type: "response.output_text.done", text } });
    return [...events, done(words.has("incomplete") ? "incomplete" : step.faults.length > 0 ? "failed" : "completed")];
  }

  function done(status: string): object {
    return { event: { type: "response.done", response: { id: responseId, status } } };
  }

  return { step: translate, text: () => text };
}

function chunk(body: Record<string, unknown>): object {
  return { event: { type: "response.chunk", chunk: body } };
}

function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
