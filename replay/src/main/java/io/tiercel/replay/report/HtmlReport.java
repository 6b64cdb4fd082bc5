package io.tiercel.replay.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * A report as one HTML file that loads nothing: its style and its plots are inside. Sections, paragraphs, tables and
 * plots stand in the order in which they were added; whatever text is given is shown as it is, markup too.
 *
 * <pre>
 * new HtmlReport("latency").section("all").paragraph("of 3 runs").table(header, rows).plot(plot).write(file);
 * </pre>
 *
 * <p>A column of numbers, with or without a unit, is aligned at the right.
 */
public final class HtmlReport {

    private static final Pattern NUMBER = Pattern.compile(
            "[-+−<>≤≥±~]?\\s?[0-9][0-9,._]*(e[-+]?[0-9]+)?(\\s?(%|[µnm]?s|[kMG]?i?B|/s|x|°C))?");
    private static final Pattern NOTHING = Pattern.compile("|-|–|n/a");

    private final String title;
    private final StringBuilder body = new StringBuilder(1 << 16);
    private final List<String> sections = new ArrayList<>();
    private final List<Plot> plots = new ArrayList<>();

    public HtmlReport(final String title) {
        this.title = title;
    }

    /** Begins a section; the page has a list of them. */
    public HtmlReport section(final String name) {
        sections.add(name);
        body.append("<h2 id=\"s").append(sections.size()).append("\">").append(escaped(name)).append("</h2>\n");
        return this;
    }

    public HtmlReport paragraph(final String text) {
        body.append("<p>").append(escaped(text)).append("</p>\n");
        return this;
    }

    /** Text whose lines and spaces stay as they are. */
    public HtmlReport preformatted(final String text) {
        body.append("<pre>").append(escaped(text)).append("</pre>\n");
        return this;
    }

    /** @throws IllegalArgumentException if a row is not as long as the header. */
    public HtmlReport table(final List<String> header, final List<List<String>> rows) {
        for (final List<String> row : rows) {
            if (row.size() != header.size()) {
                throw new IllegalArgumentException("cells=" + row.size() + " columns=" + header.size());
            }
        }
        final boolean[] areNumbers = new boolean[header.size()];
        for (int column = 0; column < areNumbers.length; column++) {
            areNumbers[column] = isOfNumbers(rows, column);
        }
        body.append("<div class=\"table\"><table>\n<thead>");
        appendRow("th", header, areNumbers);
        body.append("</thead>\n<tbody>\n");
        rows.forEach(row -> appendRow("td", row, areNumbers));
        body.append("</tbody>\n</table></div>\n");
        return this;
    }

    private static boolean isOfNumbers(final List<List<String>> rows, final int column) {
        boolean hasNumber = false;
        for (final List<String> row : rows) {
            final String cell = row.get(column).trim();
            if (NUMBER.matcher(cell).matches()) {
                hasNumber = true;
            } else if (!NOTHING.matcher(cell).matches()) {
                return false;
            }
        }
        return hasNumber;
    }

    private void appendRow(final String element, final List<String> cells, final boolean[] areNumbers) {
        body.append("<tr>");
        for (int column = 0; column < areNumbers.length; column++) {
            body.append('<').append(element).append(areNumbers[column] ? " class=\"number\">" : ">")
                    .append(escaped(cells.get(column))).append("</").append(element).append('>');
        }
        body.append("</tr>\n");
    }

    public HtmlReport plot(final Plot plot) {
        plots.add(plot);
        body.append("<figure aria-label=\"").append(escaped(plot.title())).append("\">")
                .append(plot.svg("p" + plots.size())).append("</figure>\n");
        return this;
    }

    /** The whole page. */
    public String html() {
        final StringBuilder page = new StringBuilder(body.length() + 4_096);
        page.append("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n")
                .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>")
                .append(escaped(title)).append("</title>\n<style>\n").append(STYLE)
                .append("</style>\n</head>\n<body>\n<h1>").append(escaped(title)).append("</h1>\n");
        if (sections.size() > 2) {
            appendContents(page);
        }
        return page.append(body).append("</body>\n</html>\n").toString();
    }

    private void appendContents(final StringBuilder page) {
        page.append("<nav>");
        for (int index = 0; index < sections.size(); index++) {
            page.append("<a href=\"#s").append(index + 1).append("\">").append(escaped(sections.get(index)))
                    .append("</a> ");
        }
        page.append("</nav>\n");
    }

    /**
     * Writes the page; folders that are missing are made.
     *
     * @throws ReportException if it cannot be written.
     */
    public void write(final Path html) {
        write(html, html().getBytes(StandardCharsets.UTF_8));
    }

    /**
     * Writes each plot as {@code NN-title.png}.
     *
     * @return the files.
     * @throws ReportException if one cannot be written.
     */
    public List<Path> writePngs(final Path directory) {
        final List<Path> files = new ArrayList<>();
        for (final Plot plot : plots) {
            final Path file = directory.resolve(
                    String.format(Locale.ROOT, "%02d-%s.png", files.size() + 1, plot.slug()));
            write(file, plot.png());
            files.add(file);
        }
        return files;
    }

    private static void write(final Path file, final byte[] content) {
        try {
            if (file.toAbsolutePath().getParent() != null) {
                Files.createDirectories(file.toAbsolutePath().getParent());
            }
            Files.write(file, content);
        } catch (final IOException e) {
            throw new ReportException("file=" + file + " cannot be written: " + e, e);
        }
    }

    private static String escaped(final String text) {
        final StringBuilder escaped = new StringBuilder(text.length() + 16);
        for (int index = 0; index < text.length(); index++) {
            final char character = text.charAt(index);
            switch (character) {
                case '&' -> escaped.append("&amp;");
                case '<' -> escaped.append("&lt;");
                case '>' -> escaped.append("&gt;");
                case '"' -> escaped.append("&quot;");
                case '\'' -> escaped.append("&#39;");
                default -> escaped.append(character);
            }
        }
        return escaped.toString();
    }

    /** Light or dark as the reader's machine is; wide enough for a wall, and tables that scroll on a narrow screen. */
    private static final String STYLE = """
            :root { --paper: #ffffff; --ink: #24292f; --quiet: #57606a; --grid: #d8dee4; --band: #f6f8fa;
                    --link: #0060a8; }
            @media (prefers-color-scheme: dark) {
              :root { --paper: #14181d; --ink: #e6e9ec; --quiet: #9aa4ae; --grid: #39424c; --band: #1c2128;
                      --link: #6cb6ff; }
            }
            html { background: var(--paper); color: var(--ink); }
            body { font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; max-width: 1200px;
                   margin: 0 auto; padding: 24px; }
            h1 { font-size: 1.7em; line-height: 1.2; margin: 0 0 .6em; }
            h2 { font-size: 1.25em; margin: 2em 0 .5em; padding-bottom: .2em; border-bottom: 1px solid var(--grid); }
            p { max-width: 90ch; }
            nav { margin: 0 0 1em; }
            nav a { color: var(--link); margin-right: 1.2em; text-decoration: none; }
            nav a:hover { text-decoration: underline; }
            pre { background: var(--band); padding: 12px; overflow-x: auto; font-size: .85em; }
            figure { margin: 1.2em 0; }
            svg { width: 100%; height: auto; color: var(--ink); }
            .table { overflow-x: auto; margin: 1em 0; }
            table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
            th, td { padding: .3em .9em; text-align: left; border-bottom: 1px solid var(--grid);
                     white-space: nowrap; }
            th { color: var(--quiet); font-weight: 600; }
            .number { text-align: right; }
            tbody tr:nth-child(even) { background: var(--band); }
            @media print { nav { display: none; } figure, table { break-inside: avoid; } }
            """;
}
