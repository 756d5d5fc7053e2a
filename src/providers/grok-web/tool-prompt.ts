// What the model is told beside the conversation: the caller's tools and how to call them, the form of the answer, and what
// was wrong with an answer that is asked for again. The site takes one text and knows none of this. Pure.
// Invariant: a request without tools, format or correction gets no word added.
import type { GenerationRequest, ToolChoice, ToolDefinition } from "../../core/request.ts";
import { callableTools } from "../../core/tool-calls.ts";

export interface PromptFrame {
  /** Stands before everything else, as a system turn. */
  readonly opening: string | null;
  /** Stands after the last turn, as a system turn: what was said last is heeded most. */
  readonly closing: string | null;
}

/** `neutralise` keeps a declared text from looking like a turn or a call. */
type Clean = (text: string) => string;

const catalogue = (tools: readonly ToolDefinition[], clean: Clean): string =>
  tools
    .map(({ name, description, parameters }) =>
      [
        `### ${name}`,
        ...(description === undefined ? [] : [clean(description)]),
        `Parameters (JSON schema): ${JSON.stringify(parameters)}`,
      ].join("\n"),
    )
    .join("\n\n");

const SYNTAX = `<tool_calls>
  <tool_call>
    <tool_name>NAME</tool_name>
    <parameters>{"KEY":"VALUE"}</parameters>
  </tool_call>
</tool_calls>`;

const whenToCall = (choice: ToolChoice | undefined): string => {
  if (choice?.mode === "forced") return `You must call ${choice.name} in this answer, and no other function.`;
  if (choice?.mode === "required") return "You must call at least one function in this answer.";
  return "Call a function only when the request needs it; otherwise answer as usual, without the block.";
};

const toolOpening = (request: GenerationRequest, tools: readonly ToolDefinition[], clean: Clean): string => {
  const many = request.parallelToolCalls ?? true;
  return [
    "# Functions",
    "The application that you serve offers these functions. It runs them for you; they are apart from your own tools.",
    catalogue(tools, clean),
    "# Calling functions",
    `To call, end your answer with exactly one block of this form:\n\n${SYNTAX}`,
    [
      "- Take the name exactly as listed. <parameters> holds one JSON object that fits the schema, on one line.",
      "- Write the block as plain text: no code fence around it, no markup escapes inside it, nothing after it.",
      many
        ? "- Calls that do not depend on each other go into the same block, one <tool_call> for each."
        : "- Make one call at most.",
      "- Results come back in turns named [tool result for ID]. Use them, and do not repeat a call that has its result.",
      `- ${whenToCall(request.toolChoice)}`,
    ].join("\n"),
  ].join("\n\n");
};

const toolClosing = (choice: ToolChoice | undefined): string | null => {
  if (choice?.mode === "forced") return `Your answer must end with a <tool_calls> block that calls ${choice.name}.`;
  if (choice?.mode === "required") return "Your answer must end with a <tool_calls> block.";
  return null;
};

const formatOpening = ({ responseFormat }: GenerationRequest, callsTools: boolean): string | null => {
  if (responseFormat === undefined || responseFormat.type === "text") return null;
  const kind = responseFormat.type === "json_object" ? "one JSON object" : "one JSON value";
  return [
    "# Form of the answer",
    `${callsTools ? "When you call no function, answer" : "Answer"} with ${kind} and nothing else: no words before or ` +
      "after it, no code fence, no citation marks.",
    ...(responseFormat.type === "json_schema"
      ? [`It must conform to this JSON schema (${responseFormat.name}): ${JSON.stringify(responseFormat.schema)}`]
      : []),
  ].join("\n");
};

/** The socket has no switch for searching, so the wish is also said in words (2026-08). */
const searchOpening = ({ webSearch }: GenerationRequest): string | null =>
  webSearch === false ? "Answer from what you know and from this conversation: do not search the web or X." : null;

const joined = (parts: readonly (string | null)[], between: string): string | null => {
  const said = parts.filter((part) => part !== null);
  return said.length > 0 ? said.join(between) : null;
};

export const promptFrame = (request: GenerationRequest, clean: Clean): PromptFrame => {
  const tools = callableTools(request);
  const callsTools = tools.length > 0;
  const owesJson = request.responseFormat !== undefined && request.responseFormat.type !== "text" && !callsTools;
  return {
    opening: joined(
      [
        callsTools ? toolOpening(request, tools, clean) : null,
        formatOpening(request, callsTools),
        searchOpening(request),
      ],
      "\n\n",
    ),
    closing: joined(
      [
        request.correction?.note ?? null,
        callsTools ? toolClosing(request.toolChoice) : null,
        owesJson ? "Answer with the JSON alone." : null,
      ],
      "\n",
    ),
  };
};
