declare module "markdown-it" {
  export default class MarkdownIt {
    constructor(options: { html: boolean; linkify: boolean });
    validateLink: (link: string) => boolean;
    render(text: string): string;
  }
}
