// One answer from the gateway: the request as the API wants it, the events read back into pieces. Draws and keeps nothing.
// Invariant: a refusal is thrown as ApiError, wherever in the answer it comes.
import { ApiError } from "../../shared/api.ts";
import { eventsOf } from "../../shared/sse.ts";
import { call } from "../visitor.ts";
import type { Settings } from "./conversation.ts";

export interface SentFile {
  readonly name: string;
  readonly mime: string;
  readonly dataUrl: string;
}

export interface SentTurn {
  readonly role: "user" | "assistant";
  readonly text: string;
  readonly files: readonly SentFile[];
}

export interface Ask {
  readonly settings: Settings;
  readonly turns: readonly SentTurn[];
  readonly signal: AbortSignal;
}

export type Piece =
  | { readonly kind: "text" | "reasoning"; readonly text: string }
  | { readonly kind: "length" }
  | { readonly kind: "tokens"; readonly count: number };

const PATH = "/v1/public/chat/completions";

const partOf = ({ name, mime, dataUrl }: SentFile): object =>
  mime.startsWith("image/")
    ? { type: "image_url", image_url: { url: dataUrl } }
    : { type: "file", file: { file_data: dataUrl, filename: name } };

const messageOf = ({ role, text, files }: SentTurn): object => {
  if (files.length === 0) return { role, content: text };
  return { role, content: [...(text === "" ? [] : [{ type: "text", text }]), ...files.map(partOf)] };
};

const bodyOf = ({ settings, turns }: Ask): object => {
  const { model, stream, system, temperature, topP, maxTokens, effort } = settings;
  return {
    model,
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
    messages: [...(system.trim() === "" ? [] : [{ role: "system", content: system }]), ...turns.map(messageOf)],
    ...(temperature === null ? {} : { temperature }),
    ...(topP === null ? {} : { top_p: topP }),
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
    ...(effort === null ? {} : { reasoning_effort: effort }),
  };
};

interface Said {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
}

/** A chunk of the stream or the whole answer: the same but for one name. */
interface Told {
  readonly choices?: readonly { delta?: Said; message?: Said; finish_reason?: string | null }[];
  readonly usage?: { readonly completion_tokens?: number } | null;
  readonly error?: { readonly message?: string; readonly code?: string | null };
}

function* piecesOf({ choices, usage, error }: Told): Generator<Piece, void> {
  if (error) {
    const { message = "The answer ended with an error.", code } = error;
    throw new ApiError(message, { status: 502, code: code ?? "upstream_error", param: null });
  }
  const [choice] = choices ?? [];
  const said = choice?.delta ?? choice?.message;
  if (said?.reasoning_content) yield { kind: "reasoning", text: said.reasoning_content };
  if (said?.content) yield { kind: "text", text: said.content };
  if (choice?.finish_reason === "length") yield { kind: "length" };
  if (usage?.completion_tokens !== undefined) yield { kind: "tokens", count: usage.completion_tokens };
}

export async function* answerTo(ask: Ask): AsyncGenerator<Piece, void> {
  const response = await call(PATH, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(bodyOf(ask)),
    signal: ask.signal,
  });
  if (response.headers.get("content-type")?.includes("event-stream") !== true) {
    yield* piecesOf((await response.json()) as Told);
    return;
  }
  let isWhole = false;
  for await (const data of eventsOf(response)) {
    if (data === "[DONE]") isWhole = true;
    else yield* piecesOf(JSON.parse(data) as Told);
  }
  if (!isWhole) {
    throw new ApiError("The connection broke before the answer was whole.", {
      status: 0,
      code: "upstream_cut",
      param: null,
    });
  }
}
