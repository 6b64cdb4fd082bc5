/** {@code tiercel admin}: commands to a running appliance. */
package io.tiercel.tools.admin;
