/** {@code tiercel replay}: commands that compute a journal again, or ask it. What they know is in the replay module. */
package io.tiercel.tools.replay;
