"""The scripts, styles and markup of pictures and pages."""
