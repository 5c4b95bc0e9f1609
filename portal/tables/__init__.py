"""One table for every list of the portal: sort, filter, columns, saved filters, exports, pages: all in the address."""
