"""What people take away: pictures with their scale, tables for spreadsheets, HTML reports."""
