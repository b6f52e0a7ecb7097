"""What each source sends, in its own shape, with words for what a story does not care about."""

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from typing import Final

CHINA: Final = timezone(timedelta(hours=8))
POLICE, GRID, CITIZEN, HOTLINE, HANDLERS = "police110", "gridapp", "citizenapp", "hotline12345", "handlers"
JIANGPU: Final = "320111004"
"""江浦街道."""
JIANGPU_GRID: Final = "320111004001001"
SEAT: Final = (32.0585, 118.6280)
"""About where 江浦街道 has its seat."""


def clock(time: int) -> datetime:
    """A time as the room's clock shows it."""
    return datetime.fromtimestamp(time / 1000, CHINA)


def alarm(time: int, number: str, **chosen: str) -> bytes:
    """接警单 of 110."""
    at = clock(time).strftime("%Y-%m-%d %H:%M:%S")
    sheet = {
        "JJDBH": number, "GLJJDBH": "", "BJFSBH": "1", "BJSJ": at, "JJSJ": at, "BJDH": "", "BJRXM": "",
        "SFDZ": "江浦街道文德路18号", "BJNR": "", "GXDWBH": JIANGPU, "BJLB": "", "BJLX": "", "BJXL": "", "JQJB": "",
        "ZDDWXZB": str(SEAT[1]), "ZDDWYZB": str(SEAT[0]), "SDDWXZB": "", "SDDWYZB": "",
    }  # fmt: skip
    return json.dumps(sheet | chosen, ensure_ascii=False).encode()


def patrol(time: int, number: str, **chosen: object) -> bytes:
    """A grid officer's report (巡查上报)."""
    found: dict[str, object] = {
        "id": number, "reported_at": clock(time).isoformat(), "officer_id": "wg-7", "officer_name": "王强",
        "officer_phone": "13900000007", "grid_code": JIANGPU_GRID, "category_code": "", "description": "",
        "location": {"lat": SEAT[0], "lon": SEAT[1]}, "address": "江浦街道文德路18号", "component_id": "",
        "self_handled": False, "photos": "",
    }  # fmt: skip
    return json.dumps(found | chosen, ensure_ascii=False).encode()


def citizen(time: int, number: str, **chosen: object) -> bytes:
    """What a citizen sends from the telephone (大联勤手机客户端)."""
    found: dict[str, object] = {
        "id": number, "created_at": time, "user_id": f"u-{number}", "phone": "", "nickname": "浦口市民", "type": "",
        "content": "", "address": "江浦街道文德路18号", "location": {"lat": SEAT[0], "lon": SEAT[1]},
    }  # fmt: skip
    return json.dumps(found | chosen, ensure_ascii=False).encode()


def work_order(time: int, number: str, **chosen: str) -> bytes:
    """A work order of 12345, with its five elements (五要素)."""
    at = clock(time).strftime("%Y-%m-%d %H:%M:%S")
    order = {
        "工单编号": number, "来电时间": at, "来电人": "", "联系电话": "", "工单类型": "投诉", "紧急程度": "一般",
        "事发时间": at, "事发地址": "江浦街道文德路18号", "起因": "", "经过": "", "诉求分类": "", "街道": "江浦街道",
    }  # fmt: skip
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow((order | chosen).values())
    return line.getvalue().encode()


def handling(time: int, action: str, **chosen: object) -> bytes:
    """What a handling unit's platform sends back."""
    said: dict[str, object] = {"action": action, "at": clock(time).isoformat()}
    return json.dumps(said | chosen, ensure_ascii=False).encode()
