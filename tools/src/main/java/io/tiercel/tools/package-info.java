/**
 * The {@code tiercel} command: its entry point, {@code serve}, {@code backends}, and what all commands print with.
 */
package io.tiercel.tools;
